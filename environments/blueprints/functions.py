"""The functions of Terraform's language that validation conditions commonly use, over plain values.

Each takes evaluated arguments and answers a value; Fault where Terraform would stop, Unchecked where this
one does not know exactly. None of them reads a file, a clock or the network.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from environments.blueprints.conversion import unique
from environments.blueprints.exact import Value, read_json
from environments.blueprints.matching import compiled, search
from environments.blueprints.networks import NETWORK_FUNCTIONS
from environments.blueprints.operands import (
    WHITESPACE,
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
from environments.blueprints.regexes import Unsupported

Function = Callable[..., Value]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
MAX_ITEMS = 10_000


def _cased(value: Value, change: Callable[[str], str]) -> str:
    # One character at a time, as Go does: "ß" stays, a final sigma is an ordinary one.
    return "".join(new if len(new := change(c)) == 1 else c for c in text(value))


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


def _captured(pattern: str, subject: str, found: tuple[int | None, ...]) -> Value:
    ready = compiled(pattern)

    def group(index: int) -> str | None:
        begin, end = found[2 * index], found[2 * index + 1]
        return None if begin is None or end is None else subject[begin:end]

    if ready.names and len(ready.names) != ready.groups:
        raise Fault("named and unnamed groups are mixed")
    if ready.names:
        return {name: group(index) for name, index in ready.names}
    return [group(i) for i in range(1, ready.groups + 1)] if ready.groups else group(0)


def regex(pattern: Value, subject: Value) -> Value:
    wanted, whole_text = text(pattern), text(subject)
    try:
        found = search(wanted, whole_text)
    except Unsupported as error:
        raise Unchecked(str(error)) from error
    if found is None:
        raise Fault("the pattern does not match")
    return _captured(wanted, whole_text, found)


def regexall(pattern: Value, subject: Value) -> Value:
    wanted, whole_text = text(pattern), text(subject)
    out: list[Any] = []
    start = 0
    try:
        while start <= len(whole_text) and (found := search(wanted, whole_text, start=start)) is not None:
            begin, end = found[0] or 0, found[1] or 0
            out.append(_captured(wanted, whole_text, found))
            if begin == end:
                raise Unchecked("empty matches")
            start = end
    except Unsupported as error:
        raise Unchecked(str(error)) from error
    return out


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


def coalesce(*values: Value) -> Value:
    given = [value for value in values if value is not None]
    one_kind(given)
    for value in given:
        if value != "":
            return value
    raise Fault("no value is set")


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


def split(separator: Value, subject: Value) -> Value:
    mark = text(separator)
    if not mark:
        return graphemes(text(subject))
    # Splitting an empty text gives one empty text, as Go does.
    return text(subject).split(mark)


def join(separator: Value, *lists: Value) -> Value:
    return text(separator).join(text(item) for items in lists for item in sequence(items))


def replace(subject: Value, old: Value, new: Value) -> Value:
    wanted = text(old)
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        raise Unchecked("replace by pattern")
    return text(subject).replace(wanted, text(new))


def substr(subject: Value, offset: Value, size: Value) -> Value:
    characters, start, count = graphemes(text(subject)), whole(offset), whole(size)
    if start < 0:
        start += len(characters)
    if start < 0 or start > len(characters) or count < -1:
        raise Unchecked("outside the text")
    return "".join(characters[start:] if count == -1 else characters[start : start + count])


def format_text(pattern: Value, *arguments: Value) -> Value:
    rest = list(arguments)

    def verb(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[1] not in ("s", "d", "v") or not rest or rest[0] is None:
            raise Unchecked("format verb")
        value = rest.pop(0)
        return str(whole(value)) if found[1] == "d" else text(value)

    out = re.sub(r"%(.?)", verb, text(pattern), flags=re.DOTALL)
    if rest:
        raise Fault("too many arguments")
    return out


def parseint(value: Value, base: Value) -> Value:
    digits, radix = text(value), whole(base)
    if not 2 <= radix <= 36 or not re.fullmatch(r"[+-]?[0-9A-Za-z]+", digits) or len(digits) > 300:
        raise Unchecked("number base") if radix > 36 else Fault("no number")
    try:
        return int(digits, radix)
    except ValueError as error:
        raise Fault("no number in this base") from error


def jsondecode(value: Value) -> Value:
    try:
        return read_json(text(value))
    except (ValueError, RecursionError) as error:
        # Terraform takes doubled keys and numbers of any size; only plain nonsense is certain.
        raise (Fault if isinstance(error, ValueError) and _not_json(text(value)) else Unchecked)(
            "JSON"
        ) from error


def _not_json(value: str) -> bool:
    return not value.strip() or value.strip()[0] not in '{["-0123456789tfn'


def base64decode(value: Value) -> Value:
    try:
        return base64.b64decode(text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Fault("no base64 text") from error


def timecmp(left: Value, right: Value) -> Value:
    moments = []
    for value in (text(left), text(right)):
        if not TIMESTAMP.fullmatch(value):
            raise Unchecked("timestamp") if value[:1].isdigit() else Fault("no timestamp")
        try:
            moments.append(datetime.fromisoformat(value))
        except ValueError as error:
            raise Fault("no timestamp") from error
    return (moments[0] > moments[1]) - (moments[0] < moments[1])


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


def round_to(value: Value, how: Callable[[Decimal], int]) -> Value:
    return how(Decimal(number(value)))


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


FUNCTIONS: dict[str, Function] = {
    **NETWORK_FUNCTIONS,
    "abs": absolute,
    "alltrue": alltrue,
    "anytrue": anytrue,
    "base64decode": base64decode,
    "ceil": lambda value: round_to(value, math.ceil),
    "coalesce": coalesce,
    "compact": lambda items: [text(i) for i in sequence(items) if i is not None and i != ""],
    "concat": concat,
    "contains": contains,
    "distinct": distinct,
    "element": element,
    "endswith": lambda subject, end: text(subject).endswith(text(end)),
    "flatten": flatten,
    "floor": lambda value: round_to(value, math.floor),
    "format": format_text,
    "index": index_of,
    "join": join,
    "jsondecode": jsondecode,
    "keys": lambda values: sorted(mapping(values), key=str.encode),
    "length": length,
    "lookup": lookup,
    "lower": lambda value: _cased(value, str.lower),
    "max": lambda *values: max(number(value) for value in values),
    "merge": lambda *maps: {key: item for m in maps if m is not None for key, item in mapping(m).items()},
    "min": lambda *values: min(number(value) for value in values),
    "one": one,
    "parseint": parseint,
    "range": number_range,
    "regex": regex,
    "regexall": regexall,
    "replace": replace,
    "reverse": lambda items: list(reversed(ordered(items))),
    "setintersection": setintersection,
    "setsubtract": setsubtract,
    "setunion": setunion,
    "signum": lambda value: (number(value) > 0) - (number(value) < 0),
    "slice": slice_of,
    "sort": lambda items: sorted((text(item) for item in sequence(items)), key=str.encode),
    "split": split,
    "startswith": lambda subject, start: text(subject).startswith(text(start)),
    "strcontains": lambda subject, part: text(part) in text(subject),
    "substr": substr,
    "sum": total,
    "timecmp": timecmp,
    "tobool": lambda value: None if value is None else flag(value),
    "tolist": tolist,
    "tomap": tomap,
    "tonumber": lambda value: None if value is None else number(value),
    "toset": toset,
    "tostring": lambda value: None if value is None else text(value),
    "trim": lambda subject, cut: text(subject).strip(text(cut)) if text(cut) else text(subject),
    "trimprefix": lambda subject, start: text(subject).removeprefix(text(start)),
    "trimspace": lambda value: text(value).strip(WHITESPACE),
    "trimsuffix": lambda subject, end: text(subject).removesuffix(text(end)),
    "upper": lambda value: _cased(value, str.upper),
    "values": lambda values: [values[key] for key in sorted(mapping(values), key=str.encode)],
}
# Functions that take null for an answer; every other stops at one.
TAKES_NULL = frozenset({"coalesce", "merge", "tobool", "tolist", "tomap", "tonumber", "toset", "tostring"})


def call(name: str, arguments: list[Value]) -> Value:
    """The function's value; Unchecked for a function not known here or called in a way not known here."""
    function = FUNCTIONS.get(name.removeprefix("core::"))
    if function is None:
        raise Unchecked(f"function {name}")
    if name not in TAKES_NULL and any(argument is None for argument in arguments):
        raise Fault("argument must not be null")
    try:
        return function(*arguments)
    except (TypeError, ValueError) as error:
        # Wrong number of arguments, a number out of all bounds: Terraform's own words are better.
        raise Unchecked(f"call of {name}") from error
