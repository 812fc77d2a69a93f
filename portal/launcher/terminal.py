"""What the person in front of the terminal reads."""

import os
import sys
import time
from collections.abc import Sequence
from typing import TextIO

COLOURS = {"good": "32", "bad": "31", "warn": "33", "quiet": "2", "strong": "1"}
STILL_SECONDS = 15.0


class Terminal:
    """Short lines, coloured where the stream is a terminal and NO_COLOR is not set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.lively = self.stream.isatty()
        self.coloured = self.lively and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def paint(self, text: str, tone: str) -> str:
        """`text` in the colour of `tone` (a key of COLOURS)."""
        return f"\033[{COLOURS[tone]}m{text}\033[0m" if self.coloured and tone else text

    def line(self, text: str = "") -> None:
        """One line as it is. A terminal that is gone is no reason to stop the processes it started."""
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            return

    def say(self, name: str, text: str, tone: str = "") -> None:
        """A line about the process or step `name`."""
        self.line(f"  {self.paint(f'{name:<20}', 'quiet')} {self.paint(text, tone)}")

    def progress(self, name: str, text: str) -> None:
        """A line that the next one replaces; nothing where lines cannot be replaced."""
        if self.lively:
            self.stream.write(f"\r\033[K  {self.paint(f'{name:<20}', 'quiet')} {text}")
            self.stream.flush()

    def clear(self) -> None:
        """Take the line of `progress` away."""
        if self.lively:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows in aligned columns; the first is the heading."""
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for number, row in enumerate(rows):
            cells = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            self.line("  " + (self.paint(cells, "strong") if number == 0 else cells))


class Waiting:
    """Tells how long something has been going on: live on a terminal, a line now and then elsewhere."""

    def __init__(self, terminal: Terminal, name: str, text: str) -> None:
        self.terminal, self.name, self.text = terminal, name, text
        self.began = self.told = time.monotonic()

    def tick(self, detail: str = "") -> None:
        """Call it as often as you like."""
        moment = time.monotonic()
        text = f"{self.text} {detail}".rstrip()
        self.terminal.progress(self.name, f"{text} … {moment - self.began:.0f} s")
        if not self.terminal.lively and moment - self.told > STILL_SECONDS:
            self.told = moment
            self.terminal.say(self.name, f"{text}, {moment - self.began:.0f} s so far")

    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began
