"""Running a compiled pattern over a text: every possibility at once, so never slower than their product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from environments.blueprints.regexes import MAX_TEXT, WORD, Compiler, Step, Unsupported

# Steps of the program times characters: about a second of work at the most.
MAX_WORK = 2_000_000

Captures = tuple[int | None, ...]


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern; `names` are the named groups in order of their number."""

    program: tuple[Step, ...]
    groups: int
    names: tuple[tuple[str, int], ...]


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Pattern:
    """The program of a pattern; Unsupported when it lies outside the subset."""
    if len(pattern) > MAX_TEXT:
        raise Unsupported("pattern too long")
    compiler = Compiler(pattern)
    try:
        program = compiler.compile()
    except RecursionError as error:
        raise Unsupported("pattern nested too deeply") from error
    return Pattern(tuple(program), compiler.groups, tuple(compiler.names.items()))


def search(pattern: str, text: str, *, start: int = 0) -> Captures | None:
    """The leftmost match from `start` as (begin, end, group 1 begin, end, ...); None when there is none."""
    ready = compiled(pattern)
    if len(text) > MAX_TEXT or len(text) * len(ready.program) > MAX_WORK:
        raise Unsupported("text too long")
    blank: Captures = (None,) * (2 * ready.groups + 2)
    threads: list[tuple[int, Captures]] = []
    found: Captures | None = None
    for position in range(start, len(text) + 1):
        if found is None:
            threads = _spread(ready.program, [*threads, (0, blank)], text, position)
        else:
            threads = _spread(ready.program, threads, text, position)
        moved: list[tuple[int, Captures]] = []
        code = ord(text[position]) if position < len(text) else -1
        for address, captures in threads:
            step = ready.program[address]
            if step.kind == "match":
                # Threads behind this one are of lower preference.
                found = captures
                break
            if code >= 0 and any(low <= code <= high for low, high in step.ranges):
                moved.append((address + 1, captures))
        threads = moved
        if not threads and found is not None:
            break
    return found


def _spread(
    program: tuple[Step, ...], threads: list[tuple[int, Captures]], text: str, position: int
) -> list[tuple[int, Captures]]:
    """Follow jumps, splits, saves and assertions until each thread stands before a character or the match."""
    seen: set[int] = set()
    out: list[tuple[int, Captures]] = []
    stack = list(reversed(threads))
    while stack:
        address, captures = stack.pop()
        if address in seen:
            continue
        seen.add(address)
        step = program[address]
        if step.kind in {"chars", "match"}:
            out.append((address, captures))
        elif step.kind == "jump":
            stack.append((address + step.x, captures))
        elif step.kind == "split":
            stack.append((address + step.y, captures))
            stack.append((address + step.x, captures))
        elif step.kind == "save":
            stack.append((address + 1, (*captures[: step.x], position, *captures[step.x + 1 :])))
        elif _holds(step.kind, text, position):
            stack.append((address + 1, captures))
    return out


def _holds(kind: str, text: str, position: int) -> bool:
    if kind == "start":
        return position == 0
    if kind == "end":
        return position == len(text)
    if kind == "line_start":
        return position == 0 or text[position - 1] == "\n"
    if kind == "line_end":
        return position == len(text) or text[position] == "\n"
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before != after) == (kind == "boundary")


def _is_word(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in WORD)
