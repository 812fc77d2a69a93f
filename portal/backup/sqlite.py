"""SQLite: a consistent copy while others write, and putting one in the place of the live file at one stroke."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from portal.backup.errors import BackupError, Say
from portal.backup.facts import LEFT_OUT

FILE = "gatehouse.sqlite3"
# Pages a step, about 16 MB: how often the progress is told.
STEP = 4096
BUSY_SECONDS = 30


def live_path() -> Path:
    """The file of the portal's own database."""
    return Path(str(connection.settings_dict["NAME"]))


def dump(target: Path, say: Say) -> None:
    """Copy the live database as it is at one moment; writers go on meanwhile, nobody waits."""
    with closing(sqlite3.connect(live_path(), timeout=BUSY_SECONDS, isolation_level=None)) as source:
        # An open read transaction pins the moment: without it each write of others starts the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=STEP, progress=_told(say))
            _leave_out(copy)
            # One file that needs nothing beside it.
            copy.execute("PRAGMA journal_mode=DELETE")


def _leave_out(copy: sqlite3.Connection) -> None:
    """Empty the tables that are not for a backup, so that not even free pages keep their content."""
    copy.execute("PRAGMA secure_delete=ON")
    present = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in LEFT_OUT:
        if table in present:
            copy.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names of ours
    copy.commit()


def _told(say: Say) -> Callable[[int, int, int], None]:
    last = [-1]

    def progress(_status: int, remaining: int, total: int) -> None:
        tenth = 10 * (total - remaining) // max(total, 1)
        if tenth != last[0]:
            last[0] = tenth
            say(f"database: {tenth * 10} % of {total * 4 // 1024} MB")

    return progress


def check(path: Path) -> None:
    """Raise BackupError unless the file is a whole database."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchall()
            strays = copy.execute("PRAGMA foreign_key_check").fetchmany(5)
    except sqlite3.DatabaseError as broken:
        raise BackupError(f"{path.name} is not a whole database: {broken}") from broken
    if found != [("ok",)]:
        raise BackupError(f"{path.name} is damaged: {found[0][0]}")
    if strays:
        raise BackupError(f"{path.name} has rows that point to nothing: {strays}")


@contextmanager
def connected_to(path: Path) -> Iterator[None]:
    """Django's connection of this thread at another file, for the time of the block."""
    kept = connection.settings_dict
    connection.close()
    options = {**kept.get("OPTIONS", {}), "init_command": "PRAGMA foreign_keys=ON;"}
    connection.settings_dict = {**kept, "NAME": str(path), "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = kept


def replace_live(prepared: Path, say: Say) -> None:
    """The prepared file's content becomes the live database's, in one transaction: wholly or not at all.

    Written into the live file and not over it: a process that has it open sees the new content, never a mix.
    """
    connection.close()
    target = live_path()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(prepared)) as source,
            closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as live,
        ):
            live.execute("PRAGMA journal_mode=WAL")
            live.execute("PRAGMA synchronous=FULL")
            source.backup(live, pages=-1)
    except sqlite3.OperationalError as busy:
        raise BackupError(f"The database could not be replaced ({busy}): is a process using it?") from busy
    say(f"database: now in {target}")
