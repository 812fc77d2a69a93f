"""Shared reading rules for the JSON documents Terraform writes: sizes, types, sensitive marks, paths."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MASK = "(sensitive)"
UNKNOWN = "(known after apply)"
MOST_BYTES = 512 * 1024 * 1024
DEEPEST = 100
LONGEST_EMBEDDED = 1024 * 1024

Step = str | int
Steps = tuple[Step, ...]


def load_document(
    source: bytes | str | Path, error: type[Exception], what: str, *, whole: bool = False
) -> dict[str, Any]:
    """The JSON object in `source` (a Path is read). Raises `error` with one plain sentence.

    `whole`: nothing may stand around it. Else a line of warnings before or after is passed over.
    """
    try:
        if isinstance(source, Path):
            if source.stat().st_size > MOST_BYTES:
                raise error(f"The {what} is larger than {MOST_BYTES // 1024**2} MB.")
            source = source.read_bytes()
        document = _strictly(source) if whole else _parse(source)
    except OSError as failure:
        raise error(f"The {what} could not be read: {failure.strerror}.") from failure
    except (ValueError, RecursionError) as failure:
        raise error(f"The {what} is not complete JSON.") from failure
    if not isinstance(document, dict):
        raise error(f"The {what} is not a JSON object.")
    if _deeper_than(document, DEEPEST):
        raise error(f"The {what} is nested more than {DEEPEST} levels deep.")
    return document


def _strictly(source: bytes | str) -> Any:
    # Given bytes, json guesses among UTF-8, 16 and 32; Terraform reads UTF-8 only.
    if isinstance(source, bytes):
        source = source.decode()
    return json.loads(source, parse_float=_finite, parse_constant=_finite)


def _parse(source: bytes | str) -> Any:
    """The JSON of the whole text, or of the one long line among warnings that Terraform printed around
    it.
    """
    try:
        return json.loads(source, parse_float=_finite, parse_constant=_finite)
    except ValueError:
        data = source.encode() if isinstance(source, str) else source
        lines = [line for line in data.splitlines() if line.startswith(b"{") and line.endswith(b"}")]
        if not lines:
            raise
        return json.loads(max(lines, key=len), parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    """Terraform writes no NaN and no infinity; 1e999 would become one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def embedded(value: Any) -> dict[str, Any] | list[Any] | None:
    """The object or list that a text holds as JSON, or None."""
    if not isinstance(value, str) or value[:1] not in ("{", "[") or len(value) > LONGEST_EMBEDDED:
        return None
    try:
        found = json.loads(value, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) and not _deeper_than(found, DEEPEST) else None


def child(mark: Any, step: Step) -> Any:
    """The part of a mark tree (`true`, or a tree of objects and lists with `true` leaves) below one step.

    A `true` above covers everything below it.
    """
    if mark is True:
        return True
    if isinstance(mark, dict):
        return mark.get(str(step))
    if isinstance(mark, list) and isinstance(step, int) and step < len(mark):
        return mark[step]
    return None


def any_mark(mark: Any) -> bool:
    """Whether a mark tree marks anything at all."""
    if isinstance(mark, dict):
        return any(any_mark(part) for part in mark.values())
    if isinstance(mark, list):
        return any(any_mark(part) for part in mark)
    return mark is True


def leaves(value: Any, mark: Any = None) -> Iterator[tuple[Any, bool]]:
    """Every scalar in `value` with whether `mark` covers it."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, child(mark, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, child(mark, index))
    else:
        yield value, mark is True


def path_text(steps: Steps) -> str:
    """`("rule", 0, "tags", "a b")` as `rule[0].tags["a b"]`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text
