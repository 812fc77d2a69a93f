"""Running one Terraform command for a change: its lines into the log, its process into the row, wishes obeyed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, ToolFailure
from environments.changes.leases import LeaseLost
from environments.changes.patience import patiently
from environments.changes.work import Work
from environments.runs.models import TerraformRun
from environments.runs.workspace import Workspace
from portal.aws.credentials_file import refresh
from portal.core.errors import GatehouseError
from portal.terraform.adapter import Option
from portal.terraform.events import DiagnosticEvent, Event, human_line, parse_line
from portal.terraform.hints import hint_for
from portal.terraform.identity import identify
from portal.terraform.process import LOST, RunningProcess, start
from portal.terraform.supervision import Order, supervise

logger = logging.getLogger(__name__)
# How often, in seconds, the row is asked whether somebody wants it stopped.
WISH_INTERVAL = 1.0
# Commands that touch infrastructure; all others only read.
ALTERING = frozenset({"apply"})


@dataclass
class Listener:
    """Takes a command's lines: log, errors, and whatever `on_events` makes of them.

    A database that is away for a moment must not stop Terraform: lines wait here until it is back.
    """

    work: Work
    on_events: Callable[[list[Event]], None] = field(default=lambda events: None)
    # Called before lines are stored: what is secret may be known since a moment ago.
    before: Callable[[], None] = field(default=lambda: None)
    quiet: bool = False
    errors: list[DiagnosticEvent] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    # Somebody sent Terraform a signal that this worker did not.
    interrupted: bool = False
    _waiting: list[str] = field(default_factory=list)

    def __call__(self, lines: list[str]) -> None:
        self._waiting += lines
        try:
            self.deliver()
        except DatabaseError:
            logger.warning("Log lines of %s wait for the database", self.work.change.uuid, exc_info=True)
            connection.close()

    def deliver(self) -> None:
        """Store what waits; raises DatabaseError while the database is away."""
        if not self._waiting:
            return
        self.before()
        events = [parse_line(line) for line in self._waiting]
        text = "\n".join(filter(None, (human_line(event) for event in events)))
        if text and not self.quiet:
            self.work.log.write(text)
        self._waiting = []
        for event in events:
            self.interrupted = self.interrupted or "Interrupt received" in event.text
            if isinstance(event, DiagnosticEvent) and event.severity == "error":
                self.errors.append(event)
            elif event.type == "text" and event.text.strip():
                self.plain = [*self.plain[-40:], event.text]
        self.on_events(events)

    def finish(self) -> None:
        """Store what still waits, when the database is there again."""
        patiently(self.deliver)

    def failure(self, what: str) -> ToolFailure:
        """Terraform's own words with their hint, redacted by whoever stores them."""
        if self.interrupted:
            return ToolFailure(
                _(
                    "Terraform was told to stop from outside, as when the portal is shut down; it saved its state."
                ),
                _("Request the run again; its plan starts from what was saved."),
            )
        text = "\n\n".join(human_line(event) for event in self.errors) or "\n".join(self.plain[-20:])
        hint = hint_for(text)
        return ToolFailure(f"{what}\n{text}".strip(), f"{hint.title}: {hint.remedy}" if hint else "")


@dataclass
class _Ticker:
    """Asks now and then whether somebody wants the command stopped, and keeps its credentials fresh."""

    work: Work
    made: Workspace
    cancelled: bool = False
    asked_at: float = 0.0

    def __call__(self) -> Order | None:
        if self.work.lease.lost.is_set():
            return "interrupt"
        if time.monotonic() - self.asked_at < WISH_INTERVAL:
            return None
        self.asked_at = time.monotonic()
        if self.made.aws is not None:
            try:
                fresh = refresh(self.made.aws)
                if fresh:
                    self.work.log.redactor.add(fresh)
                    self.made.note(*fresh)
            except GatehouseError:
                logger.warning("Could not renew AWS credentials of %s", self.work.change.uuid, exc_info=True)
        try:
            cancel, kill = self.work.wishes()
        except DatabaseError:
            connection.close()
            return None
        self.cancelled = self.cancelled or cancel
        return "kill" if kill else "interrupt" if cancel else None


def run(
    work: Work,
    made: Workspace,
    command: str,
    *arguments: str,
    options: Mapping[str, Option],
    listener: Listener,
    log_name: str = "",
) -> int:
    """Run `terraform COMMAND` to its end and give its exit code. Raises Cancelled, LeaseLost."""
    began = time.monotonic()
    ticker = _Ticker(work, made)
    work.lease.hold()
    if ticker() is not None:
        raise Cancelled(_not_begun(work, command))
    _expect(work, made, command)
    process = start(
        command,
        *arguments,
        workdir=made.root,
        env=made.env,
        log_path=made.folder / (log_name or f"{command}.log"),
        options=options,
        binary=made.installation.binary,
    )
    _introduce(work, made, process)
    code = supervise(process, on_lines=listener, tick=ticker)
    listener.finish()
    seconds = round(time.monotonic() - began, 2)
    work.change.terraform_run.timings[command] = seconds
    if work.lease.lost.is_set():
        raise LeaseLost
    patiently(lambda: work.set(tool_process={"folder": str(made.folder)}))
    if process.killed:
        raise Cancelled(_killed(command))
    if process.interrupted and ticker.cancelled and code != 0:
        raise Cancelled(_stopped(command))
    if code == LOST or code < 0:
        how = _("its guard was killed") if code == LOST else _("signal %(n)s") % {"n": -code}
        raise ToolFailure(
            _("Terraform was ended from outside (%(how)s).") % {"how": how},
            _("Often the machine had no memory left. Plan again; it starts with a refresh."),
        )
    return code


def _expect(work: Work, made: Workspace, command: str) -> None:
    """Write down what is about to run, and where: should this worker die before it can name the process,
    the folder tells whether Terraform is at work in it (state.tool_alive).
    """
    with work.fenced():
        TerraformRun.objects.filter(change=work.change).update(command=command)
        work.set(tool_process={**identify(os.getpid()).as_dict(), "folder": str(made.folder)})


def _introduce(work: Work, made: Workspace, process: RunningProcess) -> None:
    """Write down which process does the work. One that nobody could find again is not let run."""
    named = {**process.identity.as_dict(), "folder": str(made.folder)}
    try:
        patiently(lambda: work.set(tool_process=named))
    except BaseException:
        process.interrupt()
        if process.wait(settings.LEASE_SECONDS) is None:
            process.kill()
        process.finish()
        raise


def _not_begun(work: Work, command: str) -> str:
    if work.lease.lost.is_set():
        raise LeaseLost
    return _("Stopped before Terraform's %(command)s; nothing was altered.") % {"command": command}


def _stopped(command: str) -> str:
    if command in ALTERING:
        return _("Terraform was stopped while applying; it finished what it was at and saved its state.")
    return _("Terraform was stopped during %(command)s; nothing was altered.") % {"command": command}


def _killed(command: str) -> str:
    if command in ALTERING:
        return _("Terraform was killed while applying; what it had not saved yet is not in the state.")
    return _("Terraform was killed during %(command)s; nothing was altered.") % {"command": command}
