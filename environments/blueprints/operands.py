"""What functions and operators of Terraform take for a text, a number, a list; and how they say no."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

from environments.blueprints.exact import Value, exact_number, format_number, parse_number

# Terraform computes with 512 bits. What that cannot hold exactly is left to Terraform.
EXACT = Context(prec=150, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
# Go's unicode.IsSpace.
WHITESPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)


class Unchecked(Exception):
    """This cannot be judged here; Terraform will. Never a reason to refuse."""


class Fault(Exception):
    """Terraform itself would stop with an error here; `can` and `try` look for this."""


class SetValue(list[Any]):
    """The members of a Terraform set: no member has a place."""


def kind_of(value: Value) -> str:
    """ "string", "number", "bool", "null" or "other"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | Decimal) else "other"


def text(value: Value) -> str:
    """A text argument: numbers and booleans become their text."""
    kind = kind_of(value)
    if kind == "string":
        return str(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "number":
        return format_number(value)
    raise Fault("a string is required")


def number(value: Value) -> int | Decimal:
    """A number argument: a text of digits becomes its number."""
    kind = kind_of(value)
    if kind == "number":
        return exact_number(value)
    if kind == "string" and value == value.strip():
        try:
            return parse_number(value)
        except ValueError as error:
            raise Fault("a number is required") from error
    raise Fault("a number is required")


def whole(value: Value) -> int:
    """A whole number argument."""
    found = number(value)
    if not isinstance(found, int):
        raise Fault("a whole number is required")
    return found


def flag(value: Value) -> bool:
    """A boolean argument: "true" and "false" count."""
    if isinstance(value, bool):
        return value
    if value in ("true", "1") and isinstance(value, str):
        return True
    if value in ("false", "0") and isinstance(value, str):
        return False
    raise Fault("a bool is required")


def sequence(value: Value) -> list[Any]:
    """A list, set or tuple argument."""
    if isinstance(value, list):
        return value
    raise Fault("a list is required")


def ordered(value: Value) -> list[Any]:
    """A list or tuple argument; functions differ in what they do with a set."""
    if isinstance(value, SetValue):
        raise Unchecked("a set where order matters")
    return sequence(value)


def mapping(value: Value) -> dict[str, Any]:
    """A map or object argument."""
    if isinstance(value, dict):
        return value
    raise Fault("a map is required")


def graphemes(value: str) -> list[str]:
    """The characters as Terraform counts them; scripts where several code points may join are Unchecked."""
    for character in value:
        code = ord(character)
        simple = code < 0x300 or 0x3041 <= code <= 0x3096 or 0x30A1 <= code <= 0x30FA
        simple = simple or 0x4E00 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3
        simple = simple or (0x370 <= code < 0x483 and unicodedata.category(character)[0] == "L")
        if not simple or code in (0xA9, 0xAE):
            raise Unchecked("characters that may join")
    if "\r\n" in value:
        raise Unchecked("a line end of two characters")
    return list(value)


def compute(operator: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    """+ - * / % exactly, or Unchecked."""
    if operator in "/%" and right == 0:
        # Terraform answers infinity for some of these and stops for others.
        raise Unchecked("division by zero")
    a, b = Decimal(left), Decimal(right)
    work = {
        "+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply, "/": EXACT.divide, "%": EXACT.remainder,
    }  # fmt: skip
    try:
        return exact_number(work[operator](a, b))
    except (Inexact, InvalidOperation, Overflow, ValueError) as error:
        raise Unchecked("beyond exact arithmetic") from error


def equal(left: Value, right: Value) -> bool:
    """Terraform's ==: never converts; collections are Unchecked, for there the types decide as well."""
    kinds = kind_of(left), kind_of(right)
    if "other" in kinds and "null" not in kinds:
        if kinds[0] != kinds[1]:
            return False
        raise Unchecked("comparing collections")
    return kinds[0] == kinds[1] and bool(left == right)


def one_kind(items: Iterable[Value]) -> list[Any]:
    """The items when they are primitives of one type; Unchecked when Terraform would first unify them."""
    kept = list(items)
    kinds = {kind_of(item) for item in kept}
    if kinds - {"string", "number", "bool"} or len(kinds) > 1:
        raise Unchecked("mixed or nested elements")
    return kept
