"""Form controls for values of any Terraform type: text, numbers, booleans, lists, maps, objects.

Names of the posted fields, nested without limit: a plain value posts NAME; a list or set NAME-0, NAME-1, ...;
a map NAME-key-0 with NAME-value-0, ...; an object NAME.attribute. Rows left blank are spare rows of people
without JavaScript and mean nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

SPARE_ROWS = 3

# Terraform's JSON form of a type: "string", ["list", T], ["map", T], ["object", {name: T}, [optional names]].
Type = str | Sequence[Any]


@dataclass
class Editor:
    """One control, or a group of them, ready to be drawn by components/editor.html.

    `level` counts the lists and maps around it; a row's index in a blank row reads __LEVEL__.
    """

    name: str
    kind: str  # text number bool json list map object tuple
    label: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    rows: list["Row"] = field(default_factory=list)
    blank: "Row | None" = None
    marker: str = ""
    errors: Sequence[str] = ()
    multiline: bool = False
    required: bool = True

    @property
    def id(self) -> str:
        """The id of the control, for its label."""
        return f"id_{self.name}"


@dataclass
class Row:
    """One row of a list, map, tuple or object: its key (a control or a fixed name) and its value."""

    editor: Editor
    key: Editor | None = None
    title: str = ""
    spare: bool = False


@dataclass
class _Builder:
    errors: Mapping[str, Sequence[str]]

    def build(
        self, name: str, type_: Type, value: Any, label: str, level: int = 0, *, required: bool = True
    ) -> Editor:
        kind, inner = (type_, None) if isinstance(type_, str) else (type_[0], type_[1])
        editor = Editor(name, "json", label, errors=self.errors.get(name, ()), required=required)
        match kind:
            case "string" | "number":
                editor.kind = "text" if kind == "string" else "number"
                editor.value = _scalar(value)
                editor.multiline = "\n" in editor.value
            case "bool":
                editor.kind, editor.value = "bool", _scalar(value)
                blank = () if required and value is not None else (("", _("not set")),)
                editor.choices = (*blank, ("true", _("true")), ("false", _("false")))
            case "list" | "set":
                self._rows(editor, inner, _items(value), level)
            case "map":
                self._pairs(editor, inner, _pairs(value), level)
            case "tuple":
                editor.kind, values = "tuple", _items(value)
                for index, part in enumerate(inner or ()):
                    one = values[index] if index < len(values) else None
                    title = str(index + 1)
                    child = self.build(f"{name}-{index}", part, one, f"{label} {title}", level)
                    editor.rows.append(Row(child, title=title))
            case "object":
                self._attributes(editor, list(type_), value, level)
            case _:
                editor.value = value if isinstance(value, str) else _json(value)
        return editor

    def _rows(self, editor: Editor, inner: Any, values: list[Any], level: int) -> None:
        editor.kind, editor.marker = "list", f"__{level}__"
        filled = len(values)
        for index, value in enumerate([*values, *[None] * SPARE_ROWS]):
            label = _("%(list)s, row %(n)s") % {"list": editor.label, "n": index + 1}
            child = self.build(f"{editor.name}-{index}", inner, value, label, level + 1)
            editor.rows.append(Row(child, spare=index >= filled))
        label = _("%(list)s, new row") % {"list": editor.label}
        editor.blank = Row(self.build(f"{editor.name}-{editor.marker}", inner, None, label, level + 1))

    def _pairs(self, editor: Editor, inner: Any, pairs: list[tuple[str, Any]], level: int) -> None:
        editor.kind, editor.marker = "map", f"__{level}__"
        filled = len(pairs)
        for index, (key, value) in enumerate([*pairs, *[("", None)] * SPARE_ROWS]):
            editor.rows.append(self._pair(editor, inner, str(index), key, value, level))
            editor.rows[-1].spare = index >= filled
        editor.blank = self._pair(editor, inner, editor.marker, "", None, level)

    def _pair(self, editor: Editor, inner: Any, index: str, key: str, value: Any, level: int) -> Row:
        number = str(int(index) + 1) if index.isdigit() else _("new row")
        words = {"map": editor.label, "n": number}
        key_name = f"{editor.name}-key-{index}"
        key_editor = Editor(
            key_name, "text", _("%(map)s, key %(n)s") % words, key, errors=self.errors.get(key_name, ())
        )
        label = _("%(map)s, value %(n)s") % words
        return Row(self.build(f"{editor.name}-value-{index}", inner, value, label, level + 1), key=key_editor)

    def _attributes(self, editor: Editor, type_: Sequence[Any], value: Any, level: int) -> None:
        editor.kind = "object"
        optional = set(type_[2]) if len(type_) > 2 else set()
        values = value if isinstance(value, Mapping) else {}
        for name, part in type_[1].items():
            child = self.build(
                f"{editor.name}.{name}", part, values.get(name), name, level, required=name not in optional
            )
            editor.rows.append(Row(child, title=name))


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else []


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    return [(str(key), item) for key, item in _items(value)]


def build_editor(
    name: str, type_: Type, value: Any, *, label: str = "", errors: Mapping[str, Sequence[str]] | None = None
) -> Editor:
    """The controls for one value. `value` may be what was typed before (strings, maps as pairs), so that
    nothing is lost; `errors` maps posted names (or NAME.attribute, NAME-0) to messages."""
    return _Builder(errors or {}).build(name, type_, value, label or name)


@register.simple_tag
def value_editor(
    name: str,
    type_: Type,
    value: Any = None,
    *,
    label: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
    described_by: str = "",
) -> SafeString:
    """Draw the controls for one value (see build_editor); `described_by`: id of the help text."""
    editor = build_editor(name, type_, value, label=label, errors=errors)
    return render_to_string("components/editor.html", {"editor": editor, "described_by": described_by})
