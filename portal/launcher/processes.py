"""The processes of the system: looking at the machine's, and one child of our own."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOG_LIMIT = 20 * 1024 * 1024
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
# A process that ran this long did start: its next death is a new story.
SETTLED_SECONDS = 60.0


@dataclass(frozen=True)
class Seen:
    """A process as the kernel lists it. `start` (clock ticks after boot) tells a reused pid apart."""

    pid: int
    parent: int
    session: int
    name: str
    start: int


def seen_processes() -> dict[int, Seen]:
    """All processes by pid; {} where there is no /proc."""
    found: dict[int, Seen] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        seen = look_at(int(folder.name))
        if seen is not None:
            found[seen.pid] = seen
    return found


def look_at(pid: int) -> Seen | None:
    """The process `pid` if it runs (a zombie does not)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Seen(pid, int(fields[1]), int(fields[3]), name, int(fields[19]))


def family(sessions: set[int]) -> list[Seen]:
    """Every process of `sessions` and below: also the orphans of a leader that was killed."""
    everything = seen_processes()
    found: dict[int, Seen] = {}
    level = [seen for seen in everything.values() if seen.session in sessions]
    while level:
        found |= {seen.pid: seen for seen in level}
        level = [seen for seen in everything.values() if seen.parent in found and seen.pid not in found]
    return list(found.values())


def terraforms(sessions: set[int]) -> list[Seen]:
    """The Terraform processes of a family (not their providers, nor a Terraform below a Terraform)."""
    found = [seen for seen in family(sessions) if seen.name == "terraform"]
    inner = {seen.pid for seen in found}
    return [seen for seen in found if seen.parent not in inner]


def still_there(seen: Seen) -> bool:
    """Whether that very process still runs."""
    now = look_at(seen.pid)
    return now is not None and now.start == seen.start


@dataclass
class Child:
    """One process that is kept running. Its output is appended to `log`.

    `sessions`: of every process this child has been, because a killed worker's pool may work on for a while.
    """

    name: str
    command: list[str]
    log: Path
    cwd: Path
    environ: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    sessions: set[int] = field(default_factory=set)

    def start(self) -> None:
        """Start it, in a session of its own so that the terminal's Ctrl-C reaches only the launcher."""
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Ended sessions are forgotten before their number can be given to somebody else.
        self.sessions = {seen.session for seen in family(self.sessions)} & self.sessions | {self.process.pid}
        self.started_at = time.monotonic()
        self.restart_at = None

    @property
    def pid(self) -> int:
        """Of the running process, else 0."""
        return self.process.pid if self.process is not None else 0

    def running(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def note_death(self) -> float:
        """Count an unexpected end; the seconds until it is started again."""
        if time.monotonic() - self.started_at > SETTLED_SECONDS:
            self.deaths = 0
        wait: float = min(FIRST_WAIT * 2**self.deaths, LONGEST_WAIT)
        self.deaths += 1
        self.restart_at = time.monotonic() + wait
        return wait

    def how_it_ended(self) -> str:
        """In words."""
        code = self.process.returncode if self.process is not None else None
        if code is not None and code < 0:
            return f"was killed ({signal.Signals(-code).name})"
        return f"ended with exit code {code}"

    def send(self, number: signal.Signals) -> None:
        """Signal the process alone: it tells its own children."""
        if self.process is not None and self.running():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def kill_group(self) -> None:
        """End it and all its children without asking."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_lines(self, count: int = 8) -> list[str]:
        """The end of its log."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as source:
            source.seek(max(0, self.log.stat().st_size - 8192))
            return source.read().decode(errors="replace").splitlines()[-count:]
