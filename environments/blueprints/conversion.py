"""Making a value what its variable's type asks for, by Terraform's own conversion rules.

Errors come as path -> messages, the path as a person would write it: `scaling.max`, `subnets[2]`,
`tags["cost centre"]`; "" is the variable itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.blueprints.exact import Value, exact_number, format_number, parse_number
from environments.blueprints.types import Attribute, Collection, ObjectType, Primitive, TupleType, Type

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass
class Faults:
    """What is wrong, per path, in the order found."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, message: str) -> None:
        self.found.setdefault(path, []).append(message)

    def __bool__(self) -> bool:
        return bool(self.found)


def member_path(path: str, name: str) -> str:
    """The path of an attribute or map element."""
    if not WORD.fullmatch(name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def convert(value: Value, wanted: Type, faults: Faults, *, path: str = "", strict: bool = True) -> Value:
    """`value` as `wanted`, optional attributes filled in; what cannot be is noted in `faults`.

    null passes: whether a variable may be null is the variable's own rule. With `strict` an attribute the
    type does not know is a fault; without (a blueprint's own defaults) it is dropped, as Terraform does.
    """
    if value is None:
        return None
    if isinstance(wanted, Primitive):
        return _primitive(value, wanted.name, faults, path)
    if isinstance(wanted, Collection):
        if wanted.kind == "map":
            return _map(value, wanted.element, faults, path, strict=strict)
        return _sequence(value, wanted, faults, path, strict=strict)
    if isinstance(wanted, TupleType):
        return _tuple(value, wanted, faults, path, strict=strict)
    return _object(value, wanted, faults, path, strict=strict)


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float):
        return exact_number(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", str(key)): _plain(item) for key, item in value.items()}
    return value


def _primitive(value: Value, name: str, faults: Faults, path: str) -> Value:
    try:
        if name == "any":
            return _plain(value)
        if name == "string":
            return _string(value)
        return _number(value) if name == "number" else _bool(value)
    except ValueError as error:
        faults.add(path, str(error))
        return None


def _string(value: Value) -> str:
    if isinstance(value, str):
        # Terraform compares strings in this form.
        return unicodedata.normalize("NFC", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return format_number(exact_number(value))
    raise ValueError(_("must be text, not a list or an object"))


def _number(value: Value) -> int | Decimal:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return exact_number(value)
        except ValueError as error:
            raise ValueError(_("must be a number of ordinary size")) from error
    if isinstance(value, str):
        try:
            return parse_number(value)
        except ValueError as error:
            if re.fullmatch(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s*", value):
                raise ValueError(_("must be a number without thousands separators, such as 1000")) from error
    raise ValueError(_("must be a number, such as 3 or 0.5"))


def _bool(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "1"}:
        return True
    if isinstance(value, str) and value in {"false", "0"}:
        return False
    raise ValueError(_("must be true or false"))


def _sequence(value: Value, wanted: Collection, faults: Faults, path: str, *, strict: bool) -> Value:
    if not isinstance(value, list | tuple):
        faults.add(path, _('must be a list, such as ["a", "b"]'))
        return None
    items = [
        convert(item, wanted.element, faults, path=f"{path}[{index}]", strict=strict)
        for index, item in enumerate(value)
    ]
    return items if wanted.kind == "list" else unique(items)


def unique(items: list[Value]) -> list[Value]:
    """The members of a set: each once; text and numbers in Terraform's own order."""
    kept: list[Value] = []
    for item in items:
        # type() too: to Python 1 == True, to Terraform not.
        if not any(type(item) is type(other) and item == other for other in kept):
            kept.append(item)
    if all(isinstance(item, str) for item in kept):
        return sorted(kept, key=lambda text: text.encode())
    if all(isinstance(item, int | Decimal) and not isinstance(item, bool) for item in kept):
        return sorted(kept)
    return kept


def _map(value: Value, element: Type, faults: Faults, path: str, *, strict: bool) -> Value:
    if not isinstance(value, dict):
        faults.add(path, _("must be a map of names to values"))
        return None
    return {
        unicodedata.normalize("NFC", str(key)): convert(
            item, element, faults, path=member_path(path, str(key)), strict=strict
        )
        for key, item in value.items()
    }


def _tuple(value: Value, wanted: TupleType, faults: Faults, path: str, *, strict: bool) -> Value:
    size = len(wanted.elements)
    if not isinstance(value, list | tuple) or len(value) != size:
        faults.add(
            path,
            ngettext("must be a list of exactly %(n)d value", "must be a list of exactly %(n)d values", size)
            % {"n": size},
        )
        return None
    return [
        convert(item, kind, faults, path=f"{path}[{index}]", strict=strict)
        for index, (item, kind) in enumerate(zip(value, wanted.elements, strict=True))
    ]


def _object(value: Value, wanted: ObjectType, faults: Faults, path: str, *, strict: bool) -> Value:
    if not isinstance(value, dict):
        faults.add(path, _("must be an object with: %(names)s") % {"names": ", ".join(wanted.attributes)})
        return None
    for name in value:
        if name not in wanted.attributes and strict:
            faults.add(
                member_path(path, str(name)),
                _("is not known here; known are: %(names)s") % {"names": ", ".join(wanted.attributes)},
            )
    return {
        name: _member(
            value.get(name),
            given=name in value,
            attribute=attribute,
            faults=faults,
            path=member_path(path, name),
            strict=strict,
        )
        for name, attribute in wanted.attributes.items()
    }


def _member(
    value: Value,
    *,
    given: bool,
    attribute: Attribute,
    faults: Faults,
    path: str,
    strict: bool,
) -> Value:
    if value is None and attribute.has_default:
        # Terraform puts the default in place of null as well as of nothing.
        return convert(attribute.default, attribute.type, faults, path=path, strict=False)
    if not given and not attribute.optional:
        faults.add(path, _("is required"))
        return None
    return convert(value, attribute.type, faults, path=path, strict=strict)
