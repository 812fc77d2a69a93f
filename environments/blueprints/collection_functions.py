"""Terraform's functions over lists, sets, maps and numbers, as far as conditions need them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from environments.blueprints.conversion import unique
from environments.blueprints.exact import Value
from environments.blueprints.operands import (
    Fault,
    SetValue,
    Unchecked,
    compute,
    equal,
    flag,
    graphemes,
    kind_of,
    mapping,
    number,
    one_kind,
    ordered,
    sequence,
    text,
    whole,
)

MAX_ITEMS = 10_000


def length(value: Value) -> int:
    if isinstance(value, list | dict):
        return len(value)
    if isinstance(value, str):
        return len(graphemes(value))
    raise Fault("a number has no length")


def contains(items: Value, wanted: Value) -> bool:
    return any(equal(item, wanted) for item in sequence(items))


def alltrue(items: Value) -> bool:
    return all(item is not None and flag(item) for item in sequence(items))


def anytrue(items: Value) -> bool:
    return any(item is not None and flag(item) for item in sequence(items))


def lookup(values: Value, key: Value, *default: Value) -> Value:
    found = mapping(values)
    if text(key) in found:
        return found[text(key)]
    if not default:
        raise Fault("no such key")
    return default[0]


def element(items: Value, index: Value) -> Value:
    found, place = ordered(items), whole(index)
    if place < 0:
        raise Unchecked("negative index")
    if not found:
        raise Fault("an empty list has no element")
    return found[place % len(found)]


def concat(*lists: Value) -> Value:
    return [item for items in lists for item in ordered(items)]


def flatten(items: Value) -> Value:
    out: list[Any] = []
    for item in sequence(items):
        out.extend(flatten(item) if isinstance(item, list) else [item])
    return out


def distinct(items: Value) -> Value:
    out: list[Any] = []
    for item in ordered(items):
        if not any(equal(item, other) for other in out):
            out.append(item)
    return out


def _sets(*sets: Value) -> list[list[Any]]:
    found = [sequence(items) for items in sets]
    one_kind(item for items in found for item in items)
    return found


def setintersection(*sets: Value) -> Value:
    first, *others = _sets(*sets)
    return SetValue(unique([item for item in first if all(item in other for other in others)]))


def setunion(*sets: Value) -> Value:
    return SetValue(unique([item for items in _sets(*sets) for item in items]))


def setsubtract(left: Value, right: Value) -> Value:
    first, second = _sets(left, right)
    return SetValue(unique([item for item in first if item not in second]))


def toset(items: Value) -> Value:
    return None if items is None else SetValue(unique(one_kind(sequence(items))))


def tolist(items: Value) -> Value:
    if isinstance(items, list) and {kind_of(i) for i in items} <= {"other"}:
        return list(items)
    return None if items is None else list(one_kind(sequence(items)))


def tomap(values: Value) -> Value:
    found = None if values is None else mapping(values)
    if found is not None:
        one_kind(found.values())
    return found


def absolute(value: Value) -> Value:
    found = number(value)
    # Not abs(): a Decimal's would round to the context's 28 digits.
    return found.copy_abs() if isinstance(found, Decimal) else abs(found)


def total(items: Value) -> Value:
    found = [number(item) for item in sequence(items)]
    if not found:
        raise Fault("sum of nothing")
    out: int | Decimal = 0
    for item in found:
        out = compute("+", out, item)
    return out


def number_range(*bounds: Value) -> Value:
    limits = [whole(bound) for bound in bounds]
    if not 1 <= len(limits) <= 2:
        raise Unchecked("range with a step")
    start, end = (0, limits[0]) if len(limits) == 1 else (limits[0], limits[1])
    if end < start or end - start > MAX_ITEMS:
        raise Unchecked("range")
    return list(range(start, end))


def one(items: Value) -> Value:
    found = sequence(items)
    if len(found) > 1:
        raise Fault("more than one element")
    return found[0] if found else None


def index_of(items: Value, wanted: Value) -> Value:
    for place, item in enumerate(ordered(items)):
        if equal(item, wanted):
            return place
    raise Fault("not in the list")


def slice_of(items: Value, start: Value, end: Value) -> Value:
    found, first, last = ordered(items), whole(start), whole(end)
    if not 0 <= first <= last <= len(found):
        raise Fault("outside the list")
    return found[first:last]


def coalesce(*values: Value) -> Value:
    given = [value for value in values if value is not None]
    one_kind(given)
    for value in given:
        if value != "":
            return value
    raise Fault("no value is set")
