"""A change's log: redacted before it is stored, in chunks with offsets, complete after any kill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from environments.changes.models import Change, LogChunk
from portal.core.cas import compare_and_set
from portal.core.redaction import Redactor, mask_forms
from portal.core.wellformed import kept

PAGE_BYTES = 256 * 1024
# What one row holds at most, in characters: a reader of one line never opens more than this.
CHUNK = 64 * 1024


class LogWriter:
    """Appends lines to the log of one change under one fence."""

    def __init__(self, change: Change, fence: int, redactor: Redactor) -> None:
        self._change_id = change.pk
        self._fence = fence
        self.redactor = redactor

    def write(self, text: str) -> None:
        """Redact and store; `text` is whole lines. What a secret might go on in is held back to the next write."""
        text = kept(text if text.endswith("\n") else text + "\n")
        self._store(self.redactor.feed(text))

    def close(self) -> None:
        self._store(self.redactor.flush())

    def _store(self, text: str) -> None:
        if not text:
            return
        # What nobody knows as a secret and is one by its form: the password in an address, a private key.
        text = mask_forms(text)
        with transaction.atomic():
            row = Change.objects.select_for_update().only("log_size", "log_lines").get(pk=self._change_id)
            chunks, size, lines = [], row.log_size, row.log_lines
            for piece in _pieces(text):
                chunk = LogChunk(change_id=self._change_id, fence=self._fence, text=piece)
                chunk.offset, chunk.size = size, len(piece.encode())
                chunk.first_line, chunk.lines = lines + 1, piece.count("\n")
                size, lines = size + chunk.size, lines + chunk.lines
                chunks.append(chunk)
            compare_and_set(
                Change.objects.filter(pk=self._change_id, fence=self._fence, log_size=row.log_size),
                log_size=size,
                log_lines=lines,
            )
            LogChunk.objects.bulk_create(chunks)


def _pieces(text: str) -> Iterator[str]:
    """Whole lines, at most CHUNK characters at a time; a line longer than that is cut."""
    while len(text) > CHUNK:
        cut = text.rfind("\n", 0, CHUNK) + 1 or CHUNK
        yield text[:cut]
        text = text[cut:]
    yield text


@dataclass(frozen=True)
class LogPage:
    """A stretch of log: `text` from byte `offset`, numbered from `first_line`; `next` is where to go on."""

    offset: int
    first_line: int
    text: str
    next: int
    size: int
    complete: bool


def read(change: Change, *, after: int, limit: int = PAGE_BYTES) -> LogPage:
    """The log from byte offset `after` (0 = start), at most about `limit` bytes.

    `complete` says that nothing will follow: the change is final and this reaches its end.
    """
    after = max(after, 0)
    before = change.log_chunks.filter(offset__lte=after).order_by("-offset").values_list("offset", flat=True)
    first = before.first()
    if first is None:
        return LogPage(after, 1, "", after, change.log_size, change.is_final)
    parts: list[str] = []
    start, line, end, used = after, 1, after, 0
    for chunk in change.log_chunks.filter(offset__gte=first).order_by("offset").iterator(chunk_size=20):
        body = chunk.text.encode()
        if chunk.offset < after:
            skipped, body = body[: after - chunk.offset], body[after - chunk.offset :]
            line = chunk.first_line + skipped.count(b"\n")
        elif not parts:
            line = chunk.first_line
        if body:
            parts.append(body.decode(errors="replace"))
        end, used = chunk.offset + chunk.size, used + len(body)
        if used >= limit:
            break
    return LogPage(
        start, line, "".join(parts), end, change.log_size, change.is_final and end >= change.log_size
    )


def scrub(change: Change, redactor: Redactor) -> int:
    """Blot out in the stored log what was learned to be secret after it was written; returns the chunks altered.

    Offsets and sizes stay, so whoever follows the log notices nothing. A secret that begins in one chunk and
    ends in the next is masked line by line like any other.
    """
    altered = 0
    for chunk in change.log_chunks.order_by("offset").iterator(chunk_size=20):
        text = redactor.blot(chunk.text)
        if text != chunk.text:
            LogChunk.objects.filter(pk=chunk.pk).update(text=text)
            altered += 1
    return altered


def lines(change: Change) -> Iterator[str]:
    """The whole log line by line, never whole in memory: for downloads."""
    for chunk in change.log_chunks.order_by("offset").iterator(chunk_size=20):
        yield chunk.text
