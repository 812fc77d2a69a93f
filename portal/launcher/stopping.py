"""Ending the system in the order that lets Terraform save its state: it saves through the web process.

workers (they wait for Terraform) > scheduler > web > sandbox
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portal.launcher.processes import Child, Seen, still_there, terraforms
from portal.launcher.terminal import Terminal

# How long running changes may finish by themselves before Terraform is interrupted.
GRACE_SECONDS = 30.0
# How long an interrupted Terraform may take: it waits for what AWS is just making, then saves.
SAVE_SECONDS = 600.0
ORDINARY_SECONDS = 25.0
TELL_SECONDS = 10.0


@dataclass
class Stopper:
    """`presses` counts the requests to stop so far (Ctrl-C or SIGTERM): each further one hurries."""

    terminal: Terminal
    presses: Callable[[], int]
    grace: float = GRACE_SECONDS
    save: float = SAVE_SECONDS

    def stop_workers(self, workers: Sequence[Child]) -> None:
        """Let running changes end, then interrupt Terraform once, then (asked twice more, or late) kill."""
        for worker in workers:
            worker.send(signal.SIGTERM)
        already = self.presses()
        if self._ended(workers, self.grace, already, "finish"):
            return
        interrupted = terraforms(_sessions(workers))
        for seen in interrupted:
            # To the process alone and once: a second signal makes it leave without saving.
            with contextlib.suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGINT)
        if interrupted:
            self.terminal.say("worker", f"asked {_count(interrupted)} to stop and save its state", "warn")
        already = max(already + 1, self.presses())
        if self._ended(workers, self.save, already, "save its state"):
            return
        left = terraforms(_sessions(workers))
        self.terminal.say(
            "worker",
            "killed. What Terraform made last may be missing from its state; the change's page lists it.",
            "bad",
        )
        for worker in workers:
            worker.kill_group()
        # The guard beside each Terraform notices the death of its worker and asks it to save.
        self._gone(left)

    def stop(self, child: Child, seconds: float = ORDINARY_SECONDS) -> None:
        """SIGTERM, and SIGKILL for the whole group when that does not help."""
        if not child.running():
            return
        child.send(signal.SIGTERM)
        end = time.monotonic() + seconds
        while child.running() and time.monotonic() < end:
            time.sleep(0.05)
        if child.running():
            self.terminal.say(child.name, f"did not end within {seconds:.0f} s: killed", "warn")
            child.kill_group()

    def _ended(self, workers: Sequence[Child], seconds: float, presses: int, to_do: str) -> bool:
        """Wait until all ended; False when time is up or somebody pressed Ctrl-C again."""
        end = time.monotonic() + seconds
        told = 0.0
        while any(worker.running() for worker in workers) or terraforms(_sessions(workers)):
            if time.monotonic() > end or self.presses() > presses:
                return False
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                self._tell(terraforms(_sessions(workers)), to_do)
            time.sleep(0.1)
        return True

    def _tell(self, busy: list[Seen], to_do: str) -> None:
        if not busy:
            return
        costs = {
            "finish": "Ctrl-C again: it stops where it is and saves its state",
            "save its state": "Ctrl-C again: it is killed, and what it made last is lost from its state",
        }
        self.terminal.say("worker", f"waiting for {_count(busy)} to {to_do}. {costs[to_do]}.", "warn")

    def _gone(self, left: list[Seen]) -> None:
        end = time.monotonic() + ORDINARY_SECONDS
        while any(still_there(seen) for seen in left) and time.monotonic() < end:
            time.sleep(0.1)
        for seen in left:
            if still_there(seen):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(seen.pid, signal.SIGKILL)


def _sessions(workers: Sequence[Child]) -> set[int]:
    return {session for worker in workers for session in worker.sessions}


def _count(processes: Sequence[Seen]) -> str:
    return "Terraform" if len(processes) == 1 else f"{len(processes)} Terraform processes"
