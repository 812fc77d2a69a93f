"""Text that no database keeps: NUL bytes and halves of surrogate pairs, refused at the door by field name.

PostgreSQL refuses U+0000 in any text and in jsonb, and no UTF-8 encoder takes a lone surrogate
(https://www.postgresql.org/docs/15/datatype-character.html, datatype-json.html); SQLite keeps both, so what
came in there could not be moved to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.parsers import JSONParser

from portal.core.error_pages import malformed
from portal.core.errors import InvalidInput

UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
# Deeper than anything the portal asks for; Python's own recursion ends later.
DEPTH: Final = 200


def faults(value: Any, at: str = "") -> Iterator[str]:
    """Where in a JSON value such text stands, as "variables.names.0"; a key counts as the place it names."""
    waiting: list[tuple[str, Any, int]] = [(at, value, 0)]
    while waiting:
        place, part, depth = waiting.pop()
        if depth > DEPTH or (isinstance(part, str) and UNKEPT.search(part)):
            yield place
        elif isinstance(part, dict):
            for key, inner in part.items():
                name = f"{place}.{key}".lstrip(".")
                if UNKEPT.search(str(key)):
                    yield UNKEPT.sub("?", name)
                else:
                    waiting.append((name, inner, depth + 1))
        elif isinstance(part, list):
            waiting += [
                (f"{place}.{number}".lstrip("."), inner, depth + 1) for number, inner in enumerate(part)
            ]


def kept(text: str) -> str:
    """The text as a database keeps it: what it would refuse is shown as U+FFFD. For a tool's words."""
    return UNKEPT.sub("\ufffd", text)


def message() -> str:
    return _(
        "This holds a character that cannot be kept (a NUL byte or half of a surrogate pair); take it out."
    )


class WellFormedJSONParser(JSONParser):
    """JSON as DRF reads it; raises InvalidInput by field for text that cannot be kept, or nested without end."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as deep:
            raise InvalidInput({"": [_("This is nested too deeply.")]}) from deep
        found = list(faults(value))
        if found:
            raise InvalidInput({place: [message()] for place in found[:20]})
        return value


class WellFormedMiddleware:
    """Refuses such text in an address, its query and a form, before any view sees it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if UNKEPT.search(request.path_info):
            return malformed(request, "", message())
        for name, values in request.GET.lists():
            if any(UNKEPT.search(text) for text in (name, *values)):
                return malformed(request, UNKEPT.sub("?", name), message())
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *args: Any) -> HttpResponseBase | None:
        """After CSRF has read the form; a body that is no form is its reader's to refuse.

        A view with `reads_upload` takes a file: it knows who may send one and where it may lie, so it reads the
        form itself, with fields that refuse such text.
        """
        if getattr(view, "reads_upload", False):
            return None
        if request.method != "POST" or not (request.content_type or "").startswith(FORMS):
            return None
        for name, values in request.POST.lists():
            if any(UNKEPT.search(text) for text in (name, *map(str, values))):
                return malformed(request, UNKEPT.sub("?", name), message())
        return None
