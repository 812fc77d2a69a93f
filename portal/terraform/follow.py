"""Read a growing file line by line: whole lines only, nothing lost, nothing twice, from any offset."""

from __future__ import annotations

from pathlib import Path

MAX_LINE = 1024 * 1024
CHUNK = 1024 * 1024


class LogFollower:
    """An incremental reader of one file.

    `offset` is the number of bytes whose lines were handed out: store it, and a later follower goes on
    from there. A line longer than `max_line` bytes is cut and says so; bytes that are not UTF-8 become
    the replacement character.
    """

    def __init__(self, path: Path, offset: int = 0, *, max_line: int = MAX_LINE) -> None:
        self.path = path
        self.offset = offset
        self.max_line = max_line
        self.more = False  # whether the last read stopped at its limit, with more to read at once
        self._pending = b""  # start of a line whose end has not been written yet
        self._skipped = 0  # bytes dropped from the middle of an overlong line

    def read(self, limit: int = CHUNK) -> list[str]:
        """The complete lines within the next `limit` bytes, without line ends; empty when there is
        nothing new."""
        data = self._fetch(limit)
        head, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._hold(data)
            return []
        lines = [self._finished(line) for line in head.split(b"\n")]
        self._hold(rest)
        return lines

    def rest(self) -> list[str]:
        """Everything up to the present end of the file, an unfinished last line included. For after the
        writer ended.
        """
        lines: list[str] = []
        position = -1
        while position != self._position:
            position = self._position
            lines += self.read()
        if self._pending or self._skipped:
            lines.append(self._finished(b"", newline=0))
        return lines

    @property
    def _position(self) -> int:
        return self.offset + len(self._pending) + self._skipped

    def _fetch(self, limit: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                data = file.read(limit)
        except FileNotFoundError:
            data = b""
        self.more = len(data) == limit
        return data

    def _hold(self, data: bytes) -> None:
        room = max(0, self.max_line - len(self._pending))
        self._pending += data[:room]
        self._skipped += len(data) - len(data[:room])

    def _finished(self, end: bytes, newline: int = 1) -> str:
        """Join what was held with `end`, move the offset past it and its line end, and decode."""
        self._hold(end)
        line, skipped = self._pending, self._skipped
        self.offset += len(line) + skipped + newline
        self._pending, self._skipped = b"", 0
        text = line.removesuffix(b"\r").decode("utf-8", errors="replace")
        return f"{text} [cut: {skipped} more bytes]" if skipped else text


def follow(path: Path, offset: int = 0) -> LogFollower:
    """Follow `path` from `offset`; the file need not exist yet."""
    return LogFollower(path, offset)
