"""The deaths of the kill bench: kill -9 of processes, a database that is gone, a broker that loses every message."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from environments.changes.lifecycle import WORKING
from environments.changes.models import Change
from portal.celery import app
from tests.benchmarks.kill_case import Case, terraform_of
from tests.processes import Fleet, Passing, Wire

# A supervisor's pause before it starts a dead process again.
REVIVE_SECONDS = 1.0


class Striker:
    """Kills what a case asks for. One at a time: two strikes at one process would be one death."""

    def __init__(self, fleet: Fleet, wire: Wire) -> None:
        self.fleet, self.wire = fleet, wire
        self.killed = 0
        self._one = threading.Lock()
        self._armed: dict[str, Callable[[Passing], bool]] = {}
        wire.before = lambda passing: self._passing("before", passing)
        wire.after = lambda passing: self._passing("after", passing)

    def strike(self, case: Case, change: Change) -> bool:
        """Kill `case.what` now; False when it was not there to be killed."""
        with self._one:
            struck = self._kill(case.what, change)
            self.killed += bool(struck)
        return struck

    def _kill(self, what: str, change: Change) -> bool:
        tools = terraform_of(str(change.uuid)) if "terraform" in what or what == "both" else {}
        if not tools and (what in ("terraform", "both")):
            return False
        names: list[str] = []
        if "worker" in what or what == "both":
            names += self._workers_of(change)
        if "scheduler" in what:
            names += self.fleet.names("scheduler")
        if what == "web":
            names += self.fleet.names("web")
        for pid in tools:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self.fleet.kill(*names)
        if names:
            time.sleep(REVIVE_SECONDS)
            self.fleet.revive(*names)
        return bool(tools or names)

    def _workers_of(self, change: Change) -> list[str]:
        """The worker that has the change; all of them while nobody has it."""
        owner = change.lease_owner if change.status in WORKING else {}
        name = self.fleet.owner_of(int(owner.get("pid", 0))) if owner else ""
        return [name] if name else self.fleet.names("worker-changes")

    # --- in the middle of a state write ------------------------------------------------------------

    def arm(self, case: Case, *, stored: bool) -> None:
        """Strike at the case's next state write: before the portal has it, or after it stored it and before it says so."""

        def hit(passing: Passing) -> bool:
            if passing.method != "POST" or not passing.path.startswith(f"/state/kill/case-{case.number}?"):
                return False
            self._armed.pop(("after" if stored else "before") + str(case.number), None)
            try:
                change = case.changes[-1]
                change = Change.objects.get(pk=change.pk)
            finally:
                connection.close()
            if self.strike(case, change):
                case.struck_at = "state write" + (" stored" if stored else "")
            # A web process that dies takes the connection with it; so does a worker's Terraform.
            return case.what == "web"

        self._armed[("after" if stored else "before") + str(case.number)] = hit

    def _passing(self, when: str, passing: Passing) -> bool:
        cut = [hit(passing) for key, hit in list(self._armed.items()) if key.startswith(when)]
        return any(cut)


# --- the database is gone --------------------------------------------------------------------------


@contextmanager
def sqlite_gone(path: Path) -> Iterator[None]:
    """Nobody can write the file (open connections) nor find it (new ones)."""
    holder = sqlite3.connect(path, timeout=60, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    aside = path.with_name("aside")
    aside.mkdir()
    files = [one for one in path.parent.glob(path.name + "*") if one.is_file()]
    for one in files:
        one.rename(aside / one.name)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        for one in aside.iterdir():
            one.rename(path.parent / one.name)
        shutil.rmtree(aside)
        holder.execute("ROLLBACK")
        holder.close()


# --- the broker loses every message ----------------------------------------------------------------


class LosingBroker:
    """While it is in force, whatever is sent to the queue of changes is thrown away, by whomever it is sent."""

    def __init__(self) -> None:
        self.lost = 0
        self._stop = threading.Event()

    def __enter__(self) -> LosingBroker:
        self._thread = threading.Thread(target=self._lose, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _lose(self) -> None:
        with app.connection_for_write() as broker:
            channel = broker.default_channel
            while not self._stop.is_set():
                self.lost += channel.queue_purge("changes") or 0
                time.sleep(0.005)
