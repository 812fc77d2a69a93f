"""One spelling for each value, so that equal content has an equal digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

# Beyond the range of a double: written out, 1E+999999 would be a megabyte.
MAX_DIGITS = 308


def _number(value: Decimal) -> int | float | str:
    """An exact JSON value of a decimal: a number where a double holds it exactly, else its digits."""
    if abs(value.adjusted()) > MAX_DIGITS:
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    as_float = float(value)
    # Not normalize(): that rounds to the precision of the current decimal context.
    return as_float if Decimal(repr(as_float)) == value else format(value, "f").rstrip("0")


def plain(value: object) -> Any:
    """What JSON does not know, as something it knows; raises TypeError for the rest."""
    match value:
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return _number(value)
        case UUID() | Promise():
            return str(value)
        case set() | frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def canonical_json(obj: object) -> bytes:
    """UTF-8 JSON with sorted keys and no white space.

    Aware times become ISO 8601 in UTC; decimals stay exact; NaN and infinities raise ValueError, unknown
    types TypeError.
    """
    text = json.dumps(
        obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=plain
    )
    # A lone surrogate (half a character, from a broken escape) must not make a record unwritable.
    return text.encode("utf-8", "surrogatepass")


def digest(obj: object) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(obj)).hexdigest()
