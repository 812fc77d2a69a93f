"""Keeps the children running until it is asked to stop, then ends them in order."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from portal.launcher.processes import Child
from portal.launcher.stopping import Stopper
from portal.launcher.terminal import Terminal

WATCH_SECONDS = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Supervisor:
    """`workers` are stopped first and together, `others` afterwards in their order."""

    terminal: Terminal
    workers: list[Child] = field(default_factory=list)
    others: list[Child] = field(default_factory=list)
    changed: Callable[[list[Child]], None] = lambda children: None
    presses: int = 0
    stopper: Stopper = field(init=False)

    def __post_init__(self) -> None:
        self.stopper = Stopper(self.terminal, lambda: self.presses)

    @property
    def children(self) -> list[Child]:
        """All of them."""
        return [*self.workers, *self.others]

    def listen(self) -> None:
        """From now on Ctrl-C, SIGTERM and SIGHUP ask to stop."""

        def pressed(number: int, frame: FrameType | None) -> None:
            self.presses += 1

        for number in SIGNALS:
            signal.signal(number, pressed)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked to stop."""
        return self.presses > 0

    def start(self, child: Child) -> None:
        """Start a child and remember it for a launcher that has to clean up after us."""
        child.start()
        self.changed(self.children)

    def look_after(self) -> None:
        """One look: report the dead, start again what is due."""
        for child in self.children:
            if child.process is None or child.running():
                continue
            if child.restart_at is None:
                wait = child.note_death()
                self.terminal.say(
                    child.name, f"{child.how_it_ended()}; starting again in {wait:.0f} s ({child.log})", "bad"
                )
            elif time.monotonic() >= child.restart_at:
                self.start(child)
                self.terminal.say(child.name, f"started again (pid {child.pid})", "good")

    def run(self) -> None:
        """Look after the children until somebody asks to stop."""
        while not self.stopping:
            self.look_after()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """End everything in order."""
        self.stopper.stop_workers(self.workers)
        if any(child.process for child in self.workers):
            self.terminal.say("worker", "stopped")
        for child in self.others:
            if child.process is not None:
                self.stopper.stop(child)
                self.terminal.say(child.name, "stopped")
        self.changed([])
