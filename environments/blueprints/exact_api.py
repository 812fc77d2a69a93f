"""JSON in and out of the API with numbers exact: DRF's own would pass them through a binary float."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from environments.blueprints.exact import format_number, read_json


class ExactJSONParser(BaseParser):
    """application/json, numbers as int or Decimal; doubled keys, NaN and Infinity are refused."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return read_json(stream.read().decode())
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is no valid JSON: %s") % error) from error


class ExactJSONRenderer(JSONRenderer):
    """application/json, a Decimal written as the number it is."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else _written(data).encode()


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return format_number(value)
    if isinstance(value, Mapping):
        parts = (
            f"{json.dumps(str(key), ensure_ascii=False)}:{_written(item)}" for key, item in value.items()
        )
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)
