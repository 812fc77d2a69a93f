"""Numbers as Terraform knows them: written and read without ever passing through a binary float.

Terraform keeps 512 bits of a number, Python's float 53. A value here is None, bool, int, Decimal, str,
list or dict; a whole number is always int, so that equal numbers are equal in every comparison.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Far beyond what a definition needs, far below what would cost memory: 1e1000000 is four bytes to type.
MAX_DIGITS = 400
MAX_EXPONENT = 400

Value = Any  # None | bool | int | Decimal | str | list[Value] | dict[str, Value]


def parse_number(text: str) -> int | Decimal:
    """The number a decimal text stands for; ValueError when it is none or larger than any real setting."""
    cleaned = text.strip()
    if len(cleaned) > MAX_DIGITS or not NUMBER.fullmatch(cleaned):
        raise ValueError(text)
    try:
        return exact_number(Decimal(cleaned))
    except InvalidOperation as error:
        raise ValueError(text) from error


def exact_number(number: int | float | Decimal) -> int | Decimal:
    """int for a whole number, Decimal otherwise; a float is taken as the shortest decimal that writes it."""
    if isinstance(number, int):
        return number
    decimal = Decimal(repr(number)) if isinstance(number, float) else number
    if not decimal.is_finite() or abs(decimal.adjusted()) > MAX_EXPONENT:
        raise ValueError(str(number))
    if decimal == decimal.to_integral_value():
        return int(decimal)
    # Strip the zeros by hand: normalize() would round to the context's 28 digits.
    sign, digits, exponent = decimal.as_tuple()
    kept = list(digits)
    places = int(exponent)
    while kept and kept[-1] == 0:
        kept.pop()
        places += 1
    return Decimal((sign, tuple(kept), places))


def format_number(number: int | Decimal) -> str:
    """The decimal text Terraform shows for a number: no exponent, no trailing zeros."""
    if isinstance(number, int):
        return str(number)
    return format(exact_number(number), "f")


def _write(value: Value, indent: int, level: int) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float | Decimal):
        return format_number(exact_number(value))
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(str(key), ensure_ascii=False)}: {_write(value[key], indent, level + 1)}"
            for key in sorted(value)
        ]
        opening, closing = "{", "}"
    elif isinstance(value, list | tuple):
        parts = [_write(item, indent, level + 1) for item in value]
        opening, closing = "[", "]"
    else:
        raise TypeError(f"{type(value).__name__} is no value of a variable")
    if not parts:
        return opening + closing
    if not indent:
        return opening + ", ".join(parts) + closing
    inner = "\n" + " " * indent * (level + 1)
    return opening + inner + ("," + inner).join(parts) + "\n" + " " * indent * level + closing


def write_json(value: Value, *, indent: int = 0) -> str:
    """JSON text with sorted keys and exact numbers, as `terraform.tfvars.json` wants it."""
    return _write(value, indent, 0)


def read_json(text: str) -> Value:
    """Parse JSON keeping every number exact; ValueError for bad JSON, NaN, Infinity and doubled keys."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number")

    def members(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is given twice")
        return found

    def whole(digits: str) -> int:
        number = parse_number(digits)
        assert isinstance(number, int)
        return number

    return json.loads(
        text, parse_float=parse_number, parse_int=whole, parse_constant=refuse, object_pairs_hook=members
    )


def storable(value: Value) -> Value:
    """The same value with numbers that any JSON column keeps: a Decimal no float can write becomes its text.

    Reading goes through the variable's type again, which makes the text a number again.
    """
    if isinstance(value, Decimal):
        as_float = float(value)
        return as_float if Decimal(repr(as_float)) == value else format_number(value)
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value
