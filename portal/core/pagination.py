"""Paging by key, not by number: page 20,000 costs what page 1 does, and nothing slips between pages.

A cursor holds the sort values of the row at the edge of a page. It needs no signature: all it can do is
name a position, and its values reach the database as parameters of the field's own type.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from portal.core.canonical import canonical_json
from portal.core.errors import InvalidInput

_M = TypeVar("_M", bound=Model)
MAX_PAGE_SIZE = 200


@dataclass(frozen=True)
class Page(Generic[_M]):
    """Rows in the declared order; `older` leads to what comes after them, `newer` to what came before."""

    rows: list[_M]
    older: str | None
    newer: str | None


def keyset_page(
    queryset: QuerySet[_M], *, ordering: tuple[str, ...], cursor: str | None, size: int
) -> Page[_M]:
    """One page of at most `size` rows.

    `ordering` names columns that are never null ("-created_at", "tenant__name"); the primary key is
    added as a tie-break. Raises InvalidInput for a cursor that is not one of this ordering.
    """
    keys = _with_tie_break(ordering)
    fields = [_field(queryset.model, key.lstrip("-")) for key in keys]
    backwards, position = _decode(cursor, fields) if cursor else (False, None)
    wanted = [_flipped(key) for key in keys] if backwards else keys
    rows_after = queryset.filter(_after(wanted, position)) if position else queryset
    rows = list(rows_after.order_by(*wanted)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_older = bool(rows) and (more or backwards)
    has_newer = bool(rows) and (more if backwards else position is not None)
    return Page(
        rows=rows,
        older=_encode("o", rows[-1], keys) if has_older else None,
        newer=_encode("n", rows[0], keys) if has_newer else None,
    )


def _with_tie_break(ordering: Sequence[str]) -> list[str]:
    if ordering and ordering[-1].lstrip("-") in ("pk", "id"):
        return list(ordering)
    return [*ordering, "-pk" if ordering and ordering[0].startswith("-") else "pk"]


def _flipped(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _field(model: type[Model], path: str) -> Field[Any, Any]:
    *relations, last = path.split("__")
    for name in relations:
        related = model._meta.get_field(name).related_model
        if related is None or isinstance(related, str):
            raise ValueError(f"{path}: {name} is not a relation")
        model = related
    field = model._meta.pk if last == "pk" else model._meta.get_field(last)
    if not isinstance(field, Field) or field.null:
        raise ValueError(f"{path} cannot be paged by: it must be a column without nulls")
    return field


def _after(keys: Sequence[str], position: Sequence[Any]) -> Q:
    """Rows that come after `position`: greater in the first key, or equal in it and greater in the rest."""
    (key, *more_keys), (value, *more_values) = keys, position
    name, comparison = key.lstrip("-"), "lt" if key.startswith("-") else "gt"
    beyond = Q(**{f"{name}__{comparison}": value})
    if not more_keys:
        return beyond
    # The plain bound in front lets the database walk the index instead of weighing an OR.
    return Q(**{f"{name}__{comparison}e": value}) & (beyond | _after(more_keys, more_values))


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return value


def _encode(direction: str, row: Model, keys: Iterable[str]) -> str:
    values = [_value(row, key.lstrip("-")) for key in keys]
    return base64.urlsafe_b64encode(canonical_json([direction, *values])).decode().rstrip("=")


def _decode(cursor: str, fields: Sequence[Field[Any, Any]]) -> tuple[bool, list[Any]]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        direction, *values = json.loads(text)
        if direction not in ("o", "n") or len(values) != len(fields) or None in values:
            raise ValueError
        return direction == "n", [field.to_python(value) for field, value in zip(fields, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, ValidationError, RecursionError):
        raise InvalidInput({"cursor": [_("This is not a cursor of this list.")]}) from None


class KeysetPagination(BasePagination):
    """`?cursor=` and `?page_size=` (at most 200); answers {"results", "next", "previous"}.

    The view declares `ordering` (a tuple as for `keyset_page`); without it newest first by id.
    """

    page_size = 50
    page: Page[Any]
    url: str

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        if not isinstance(queryset, QuerySet):
            raise TypeError("Only a query can be paged by key")
        ordering = tuple(getattr(view, "ordering", ("-pk",)))
        self.url = request.build_absolute_uri()
        self.page = keyset_page(
            queryset,
            ordering=ordering,
            cursor=request.query_params.get("cursor") or None,
            size=self._size(request.query_params),
        )
        return self.page.rows

    def _size(self, params: Mapping[str, str]) -> int:
        text = params.get("page_size", str(self.page_size))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_PAGE_SIZE:
            raise InvalidInput({"page_size": [_("A number from 1 to %(most)d.") % {"most": MAX_PAGE_SIZE}]})
        return int(text)

    def _link(self, cursor: str | None) -> str | None:
        return replace_query_param(self.url, "cursor", cursor) if cursor else None

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"results": data, "next": self._link(self.page.older), "previous": self._link(self.page.newer)}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Position in the list, from `next` or `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows per page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE},
            },
        ]
