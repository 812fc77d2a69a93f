"""From the fields of a posted form to a value and back, for any Terraform type.

A plain value posts NAME; a list or set NAME-0, NAME-1, ...; a map NAME-key-0 with NAME-value-0, ...; an
object NAME.attribute; `any` a JSON text. What comes out in two shapes: the value for conversion, and what
was typed, texts only, so that a refused form shows it again letter for letter.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints.conversion import member_path
from environments.blueprints.exact import Value, format_number, read_json, write_json
from environments.blueprints.types import Attribute, Collection, ObjectType, Primitive, TupleType, Type


class _Blank:
    """Nothing was entered."""

    def __bool__(self) -> bool:
        return False


BLANK = _Blank()


@dataclass
class Posted:
    """Reads values out of posted fields. `errors` and `names` speak of the fields as they are drawn again.

    `names` maps a value's path ("scaling.max", "zones[1]") to its field's name.
    """

    data: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    def read(self, name: str, wanted: Type, path: str, *, at: str | None = None) -> tuple[Any, Any]:
        """(value, typed) of the field `name`; BLANK and a blank shape when nothing was entered.

        `at` is the name the field will have when drawn again: rows left out close up.
        """
        shown = name if at is None else at
        self.names[path] = shown
        if isinstance(wanted, Primitive):
            return self._plain(name, wanted.name, shown)
        if isinstance(wanted, Collection):
            read = self._map if wanted.kind == "map" else self._list
            return read(name, wanted.element, path, shown)
        if isinstance(wanted, TupleType):
            return self._tuple(name, wanted, path, shown)
        return self._object(name, wanted, path, shown)

    def _plain(self, name: str, kind: str, shown: str) -> tuple[Any, Any]:
        # Browsers send a text area's line ends as CR LF.
        text = self.data.get(name, "").replace("\r\n", "\n")
        if kind == "string":
            return (text if text else BLANK), text
        if not text.strip():
            # To the editor None is a choice not made; an empty text would be one.
            return BLANK, None if kind == "bool" else ""
        if kind != "any":
            return text.strip(), text
        try:
            return read_json(text), text
        except (ValueError, RecursionError):
            self.errors[shown] = [_('must be JSON: write a text in double quotes, such as "a"')]
            return BLANK, text

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self.data)

    def _indices(self, prefix: str) -> list[int]:
        """The row numbers posted below `prefix`, which may have gaps."""
        pattern = re.compile(r"(\d{1,6})(?=$|[-.])", re.ASCII)
        found: set[int] = set()
        for name in self._names[bisect_left(self._names, prefix) :]:
            if not name.startswith(prefix):
                break
            if row := pattern.match(name, len(prefix)):
                found.add(int(row[1]))
        return sorted(found)

    def _list(self, name: str, element: Type, path: str, shown: str) -> tuple[Any, Any]:
        values: list[Any] = []
        typed: list[Any] = []
        for index in self._indices(f"{name}-"):
            place = len(typed)
            faults = len(self.errors)
            value, text = self.read(f"{name}-{index}", element, f"{path}[{place}]", at=f"{shown}-{place}")
            # A row that could not be read stays on the page; a blank one goes.
            if value is not BLANK or len(self.errors) > faults:
                values.append(None if value is BLANK else value)
                typed.append(text)
        return (values if values else BLANK), typed

    def _map(self, name: str, element: Type, path: str, shown: str) -> tuple[Any, Any]:
        values: dict[str, Any] = {}
        typed: list[tuple[str, Any]] = []
        for index in sorted({*self._indices(f"{name}-key-"), *self._indices(f"{name}-value-")}):
            key = self.data.get(f"{name}-key-{index}", "").strip()
            place = len(typed)
            row = f"{shown}-value-{place}"
            value, text = self.read(f"{name}-value-{index}", element, member_path(path, key), at=row)
            if value is BLANK and not key and row not in self.errors:
                continue
            key_field = f"{shown}-key-{place}"
            if not key:
                self.errors[key_field] = [_("needs a name")]
            elif key in values:
                self.errors[key_field] = [_("stands here twice; every name may stand once")]
            typed.append((key, text))
            values.setdefault(key, self._filled(value, element, row))
        return (values if typed else BLANK), typed

    def _tuple(self, name: str, wanted: TupleType, path: str, shown: str) -> tuple[Any, Any]:
        parts = [
            self.read(f"{name}-{i}", kind, f"{path}[{i}]", at=f"{shown}-{i}")
            for i, kind in enumerate(wanted.elements)
        ]
        typed = [text for _value, text in parts]
        if all(value is BLANK for value, _text in parts):
            return BLANK, typed
        pairs = zip(parts, wanted.elements, strict=True)
        return [self._filled(v, kind, f"{shown}-{i}") for i, ((v, _text), kind) in enumerate(pairs)], typed

    def _object(self, name: str, wanted: ObjectType, path: str, shown: str) -> tuple[Any, Any]:
        values: dict[str, Any] = {}
        typed: dict[str, Any] = {}
        entered = False
        for key, attribute in wanted.attributes.items():
            value, typed[key] = self.read(
                f"{name}.{key}", attribute.type, member_path(path, key), at=f"{shown}.{key}"
            )
            entered = entered or value is not BLANK
            if value is not BLANK:
                values[key] = value
            elif (empty := _emptied(attribute)) is not BLANK:
                values[key] = empty
        return (values if entered else BLANK), typed

    def _filled(self, value: Any, wanted: Type, row: str) -> Any:
        """What a blank place of a collection stands for: an empty text, list or map; else it is a fault."""
        if value is not BLANK:
            return value
        empty = empty_of(wanted)
        if empty is not BLANK:
            return empty
        self.errors.setdefault(row, [_("needs a value")])
        return None


def empty_of(wanted: Type) -> Any:
    """The empty value of a type that has one, else BLANK."""
    if isinstance(wanted, Primitive):
        return "" if wanted.name == "string" else BLANK
    if isinstance(wanted, Collection):
        return {} if wanted.kind == "map" else []
    return {} if isinstance(wanted, ObjectType) else BLANK


def _emptied(attribute: Attribute) -> Any:
    """What a collection emptied on the page means: empty, where its default would put something in."""
    if not isinstance(attribute.type, Collection):
        return {} if isinstance(attribute.type, ObjectType) and not attribute.optional else BLANK
    if attribute.optional and not attribute.default:
        return BLANK
    return empty_of(attribute.type)


def shown(value: Value, wanted: Type) -> Any:
    """A value as the editors take it: texts at the ends, maps as pairs; blank where there is nothing."""
    if isinstance(wanted, Primitive):
        if value is None:
            return None if wanted.name == "bool" else ""
        if wanted.name == "any":
            return write_json(value, indent=2)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else format_number(value)
    if isinstance(wanted, Collection) and wanted.kind == "map":
        items: Iterable[tuple[str, Any]] = (value or {}).items()
        return [(key, shown(item, wanted.element)) for key, item in items]
    if isinstance(wanted, Collection):
        return [shown(item, wanted.element) for item in value or []]
    if isinstance(wanted, TupleType):
        return [shown(item, kind) for item, kind in zip(value or [], wanted.elements, strict=bool(value))]
    known = value or {}
    return {name: shown(known.get(name), a.type) for name, a in wanted.attributes.items()}
