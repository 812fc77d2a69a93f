"""Places in a log of any length: a line, the end, the lines that hold a text. Never the whole log in memory."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from environments.changes.models import Change

# A log opens this many lines before its end.
TAIL_LINES = 1000
# One look for a text takes at most this long and finds at most so many; the reader asks to go on.
SEARCH_SECONDS = 1.0
MOST_MATCHES = 100
LONGEST_TEXT = 200
# Of a line that matches, this much is told.
SHOWN = 300
# A line without end is searched in stretches of this many characters.
STRETCH = 256 * 1024


def offset_of(change: Change, line: int) -> int:
    """The byte offset where this line (1 = the first) begins; the end of the log for one that is not there yet."""
    chunk = change.log_chunks.filter(first_line__lte=line).order_by("-first_line", "offset").first()
    if chunk is None:
        return 0
    body = chunk.text.encode()
    at = 0
    for _number in range(line - chunk.first_line):
        newline = body.find(b"\n", at)
        if newline < 0:
            break
        at = newline + 1
    return int(chunk.offset) + at


def tail(change: Change) -> int:
    """Where a reader of a long log begins: near its end; 0 for a short one."""
    if change.log_lines <= 2 * TAIL_LINES:
        return 0
    return offset_of(change, change.log_lines - TAIL_LINES + 1)


@dataclass
class Found:
    """Lines that hold the text: [{line, text}]. `next` is the offset to search on from, None at the log's end;
    `line` is how far it got, of `lines`."""

    matches: list[dict[str, object]] = field(default_factory=list)
    next: int | None = None
    line: int = 0
    lines: int = 0


def search(change: Change, text: str, *, after: int = 0, seconds: float = SEARCH_SECONDS) -> Found:
    """Lines from byte offset `after` on that hold `text`, whatever its case, until time or matches run out."""
    wanted, until = text[:LONGEST_TEXT].lower(), time.monotonic() + seconds
    found = Found(lines=change.log_lines)
    if not wanted:
        return found
    before = change.log_chunks.filter(offset__lte=after).order_by("-offset").values_list("offset", flat=True)
    first = before.first()
    carry, line, at = "", 1, after
    for chunk in change.log_chunks.filter(offset__gte=first or 0).order_by("offset").iterator(chunk_size=20):
        body = chunk.text
        if chunk.offset <= after < chunk.offset + chunk.size or chunk.offset == first:
            skipped = body.encode()[: max(after - chunk.offset, 0)]
            body = body.encode()[len(skipped) :].decode(errors="replace")
            line = chunk.first_line + skipped.count(b"\n")
        if time.monotonic() > until and at > after:
            found.next, found.line = at, line - 1
            return found
        whole = carry + body
        carry, line, at, full = _look(whole, wanted, found, line, at)
        if full:
            return found
    if wanted in carry.lower() and not _told(found, line):
        found.matches.append({"line": line, "text": _around(carry, wanted)})
    found.line = change.log_lines
    return found


def _look(whole: str, wanted: str, found: Found, line: int, at: int) -> tuple[str, int, int, bool]:
    """Search whole lines; (what is left of the last one, its number, its offset, whether enough was found)."""
    end = whole.rfind("\n") + 1
    complete, carry = whole[:end], whole[end:]
    if wanted not in complete.lower():
        line, at = line + complete.count("\n"), at + len(complete.encode())
    else:
        for one in complete.split("\n")[:-1]:
            at += len(one.encode()) + 1
            if wanted in one.lower() and not _told(found, line):
                found.matches.append({"line": line, "text": _around(one, wanted)})
                if len(found.matches) >= MOST_MATCHES:
                    found.next, found.line = at, line
                    return "", line + 1, at, True
            line += 1
    if len(carry) > STRETCH:
        # Of a line that does not end, keep what a match could still begin in.
        if wanted in carry.lower() and not _told(found, line):
            found.matches.append({"line": line, "text": _around(carry, wanted)})
        at += len(carry[: -len(wanted)].encode())
        carry = carry[-len(wanted) :]
    return carry, line, at, False


def _told(found: Found, line: int) -> bool:
    """A line is told once, however often it matches."""
    return bool(found.matches) and found.matches[-1]["line"] == line


def _around(line: str, wanted: str) -> str:
    """The part of a line that shows why it was found."""
    start = max(line.lower().find(wanted) - SHOWN // 3, 0)
    return ("…" if start else "") + line[start : start + SHOWN]
