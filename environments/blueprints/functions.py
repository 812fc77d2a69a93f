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

from environments.blueprints.collection_functions import (
    absolute,
    alltrue,
    anytrue,
    coalesce,
    concat,
    contains,
    distinct,
    element,
    flatten,
    index_of,
    length,
    lookup,
    number_range,
    one,
    setintersection,
    setsubtract,
    setunion,
    slice_of,
    tolist,
    tomap,
    toset,
    total,
)
from environments.blueprints.exact import Value, read_json
from environments.blueprints.matching import compiled, search
from environments.blueprints.networks import NETWORK_FUNCTIONS
from environments.blueprints.operands import (
    WHITESPACE,
    Fault,
    Unchecked,
    flag,
    graphemes,
    mapping,
    number,
    ordered,
    sequence,
    text,
    whole,
)
from environments.blueprints.regexes import Unsupported

Function = Callable[..., Value]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _cased(value: Value, change: Callable[[str], str]) -> str:
    # One character at a time, as Go does: "ß" stays, a final sigma is an ordinary one.
    return "".join(new if len(new := change(c)) == 1 else c for c in text(value))


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


def round_to(value: Value, how: Callable[[Decimal], int]) -> Value:
    return how(Decimal(number(value)))


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
