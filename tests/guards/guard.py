"""What a guard is, and where the list of all of them lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Guard:
    """A rule, the place in the code that holds it, what that place says without it, and the tests that notice.

    `snippet` stands exactly once in `file`; `without` takes its place. `tests` are pytest node ids; at least
    one of them fails then.
    """

    rule: str
    says: str
    file: str
    snippet: str
    without: str
    tests: tuple[str, ...]

    def removed(self, root: Path) -> str:
        """The file's text without the guard."""
        text = (root / self.file).read_text()
        if text.count(self.snippet) != 1:
            raise ValueError(f"{self.file} has {text.count(self.snippet)} places like {self.snippet!r}")
        return text.replace(self.snippet, self.without)


def every() -> Iterator[Guard]:
    """All guards, in the order of the document."""
    from tests.guards import (
        deaths,
        deploying,
        engine,
        foundations,
        front_ends,
        looks,
        preflight,
        proving,
        requests,
        resting,
        rooms,
        state_room,
        traps,
        turns,
    )

    rooms_of_terraform = (rooms, state_room, traps, foundations)
    rooms_of_deployments = (requests, preflight, deploying, proving, looks, front_ends)
    for part in (engine, turns, resting, deaths, *rooms_of_terraform, *rooms_of_deployments):
        yield from part.GUARDS
