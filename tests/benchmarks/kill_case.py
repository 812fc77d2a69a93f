"""One environment of the kill bench, from request to success, with one death on its way; and what is proven after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from environments.blueprints import snapshots
from environments.changes import actions, log
from environments.changes.lifecycle import FINAL, WORKING, Status
from environments.changes.models import Change, Claim
from environments.models import Definition, Environment
from environments.runs.actions import request_run
from environments.runs.drift.plan import DRIFT_FENCE
from environments.runs.leftovers import rows
from environments.runs.models import Leftover, RunCredential, StateLock
from portal.accounts.principals import Principal
from portal.core.errors import GatehouseError
from portal.terraform.identity import ProcessIdentity, alive
from portal.terraform.state import read_state

# Everything a case may take, in seconds: far more than it does, so that "stuck" means stuck.
CASE_SECONDS = 240.0
GOOD = {Status.SUCCEEDED, Status.NO_CHANGES}
STEPS = 4
# What a run says whose Terraform was killed, or was told to stop because its worker was.
KILLED = ("ended from outside", "told to stop from outside")


class Stuck(Exception):
    """A case took longer than anything in it may."""


def terraform_of(uuid: str) -> dict[int, str]:
    """Terraform processes at work in a folder of this change: pid -> its command."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if uuid not in str((folder / "cwd").readlink()):
                continue
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if len(words) > 1 and words[0].endswith(b"terraform"):
            found[int(folder.name)] = words[1].decode()
    return found


@dataclass
class Case:
    """`what` dies at `point`; `strike` does it and says whether there was something to kill."""

    number: int
    what: str
    point: str
    strike: Callable[[Case, Change], bool]
    people: dict[str, Principal]
    folder: Path
    tenant: Any
    changes: list[Change] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    struck_at: str = ""
    notices: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stuck: str = ""
    seconds: float = 0.0
    _dead_since: dict[int, float] = field(default_factory=dict)
    _intact: dict[str, set[str]] = field(default_factory=dict)

    @property
    def counter(self) -> Path:
        return self.folder / f"counter-{self.number}"

    # --- the way of one environment ----------------------------------------------------------------

    def run(self) -> None:
        began = time.monotonic()
        self.deadline = began + CASE_SECONDS
        try:
            self.environment = self._patient(self._prepare)
            while not self.outcomes or self.outcomes[-1] not in GOOD:
                self._one_run()
        except Stuck as late:
            self.stuck = str(late)
        finally:
            self.seconds = time.monotonic() - began
            connection.close()

    def _prepare(self) -> Environment:
        slug = f"case-{self.number}"
        kind = "production" if self.point == "awaiting" else "staging"
        environment, _made = Environment.objects.get_or_create(
            tenant=self.tenant,
            slug=slug,
            defaults={"name": slug, "environment_class": kind, "blueprint": "kill"},
        )
        snapshot = snapshots.current_snapshot("kill")
        Definition.objects.get_or_create(
            environment=environment,
            number=1,
            defaults={
                "blueprint": "kill",
                "snapshot": snapshot.digest,
                "variables": {"counter": str(self.counter), "steps": STEPS},
                "author": self.people["writer"].user,
            },
        )
        return environment

    def _one_run(self) -> None:
        self._settle_leftovers()
        change = self._patient(self._request)
        self.changes.append(change)
        self._intact[str(change.uuid)] = self._patient(self._standing)
        self._reach("requested", change)
        while change.status not in FINAL:
            self._patient(lambda: self._look(change))
        self.outcomes.append(change.status)
        self._expected_end(change)

    def _expected_end(self, change: Change) -> None:
        """A kill may interrupt a run, or fail it with those very words; any other failure is a fault of ours."""
        if change.status in GOOD or change.status == Status.INTERRUPTED:
            return
        if change.status == Status.FAILED and any(words in change.error_message for words in KILLED):
            return
        self.faults.append(f"{change.status}: {' '.join(change.error_message.split())[:300]}")

    def _request(self) -> Change:
        start = "manual" if self.point == "approved" else "on_approval"
        return request_run(
            by=self.people["operator"], environment=self.environment, mode="apply", start=start
        )

    def _look(self, change: Change) -> None:
        """One glance at the row: who died, what is next for people to do, is it the moment to strike?"""
        if time.monotonic() > self.deadline:
            raise Stuck(f"{change.status}, fence {change.fence}, {self.outcomes}")
        change.refresh_from_db()
        self._mark_death(change)
        if change.status == Status.AWAITING_APPROVAL:
            self._reach("awaiting", change)
            self._press(
                lambda: actions.approve(
                    by=self.people["approver"], change=change, digest=self._digest(change)
                )
            )
        elif change.status == Status.APPROVED and change.start == "manual" and not change.start_pressed_at:
            self._press(lambda: actions.start(by=self.people["operator"], change=change))
            self._reach("approved", change)
        elif change.status == Status.PROPOSING:
            running = set(terraform_of(str(change.uuid)).values())
            for word, point in (("init", "init"), ("plan", "planning")):
                if word in running:
                    self._reach(point, change)
        elif change.status == Status.EXECUTING and self._counted(change) >= 2:
            self._reach("applying", change)
        elif change.status == Status.VERIFYING:
            self._reach("verifying", change)
        time.sleep(0.01 if self.point in ("init", "planning", "verifying") else 0.04)

    def _digest(self, change: Change) -> str:
        change.refresh_from_db()
        return change.proposal.digest if change.proposal else ""

    def _press(self, act: Callable[[], object]) -> None:
        try:
            act()
        except GatehouseError as refused:
            # The change moved on between the look and the press; the next look sees it.
            self.faults += [] if refused.status == 409 else [f"refused: {refused.message}"]

    def _reach(self, point: str, change: Change) -> None:
        if self.struck_at or point != self.point:
            return
        if self.strike(self, change):
            self.struck_at = point

    def _mark_death(self, change: Change) -> None:
        """From the death of the row's worker to the moment the row says so."""
        owner = change.lease_owner
        held = change.status in WORKING and owner and change.fence not in self._dead_since
        if held and alive(ProcessIdentity(**owner)) is False:
            self._dead_since[change.fence] = time.monotonic()
        for fence, since in list(self._dead_since.items()):
            if since and (change.fence != fence or change.status not in WORKING):
                self.notices.append(time.monotonic() - since)
                self._dead_since[fence] = 0.0

    def _patient(self, act: Callable[[], Any]) -> Any:
        """A person whose page says "try again" tries again."""
        while True:
            try:
                return act()
            except (DatabaseError, OSError) as away:
                if time.monotonic() > self.deadline:
                    raise Stuck(f"the database stayed away: {away}") from away
                connection.close()
                time.sleep(0.5)
            except GatehouseError as refused:
                if time.monotonic() > self.deadline:
                    raise Stuck(refused.message) from refused
                self._settle_leftovers()
                time.sleep(0.5)

    def _settle_leftovers(self) -> None:
        for row in rows.of(self.environment, Leftover.State.OPEN):
            self._patient(lambda row=row: settle(row, self.people["operator"]))

    # --- what stands, what ran ---------------------------------------------------------------------

    def _standing(self) -> set[str]:
        """What the state holds in good order: no run may do it again."""
        newest = self.environment.state_versions.order_by("-number").first()
        if newest is None:
            return set()
        return {one.address for one in read_state(newest.content).managed if not one.tainted}

    def _lines(self) -> list[tuple[str, str]]:
        """(change, step) of every provisioner that ran."""
        text = self.counter.read_text() if self.counter.exists() else ""
        return [(line.split(".")[0], f"terraform_data.step[{line.split()[1]}]") for line in text.splitlines()]

    def _counted(self, change: Change) -> int:
        return sum(uuid == str(change.uuid) for uuid, _step in self._lines())

    @property
    def doubled(self) -> list[str]:
        """Steps that one run did twice, or that a run did although the state held them."""
        ran = Counter(self._lines())
        twice = [f"{step} {n} times in {uuid}" for (uuid, step), n in ran.items() if n > 1]
        again = [f"{step} again in {uuid}" for uuid, step in ran if step in self._intact.get(uuid, set())]
        return twice + again

    @property
    def lost(self) -> list[str]:
        """Resources nobody knows of, changes without an end, logs without their lines."""
        found = [f"no end: {change.uuid}" for change in self.changes if change.status not in FINAL]
        held = self._standing()
        missing = {f"terraform_data.step[{n}]" for n in range(STEPS)} - held
        found += [f"not in the state: {name}" for name in sorted(missing)]
        listed = set(
            Leftover.objects.filter(environment=self.environment).values_list("change_id", "address")
        )
        for change in self.changes:
            made = change.progress.filter(action="create", state="done").values_list("address", flat=True)
            known = held | {address for pk, address in listed if pk == change.pk}
            found += [f"made and forgotten: {address}" for address in made if address not in known]
            text = log.read(change, after=0, limit=10**7).text
            found += [f"no log line of {one}" for one in made if f"{one}: Creation complete" not in text]
        return found

    def prove(self, deadline: float) -> None:
        """Nothing may be left behind: no lock, no claim, no sign-in, no folder with secrets."""
        while left := self._left_behind():
            if time.monotonic() > deadline:
                self.faults += left
                return
            time.sleep(0.5)

    def _left_behind(self) -> list[str]:
        left = []
        mine = {"change__in": self.changes}
        if StateLock.objects.filter(environment=self.environment).exists():
            left.append("a state lock")
        if Claim.objects.active().filter(**mine).exists():
            left.append("a claim")
        # A look at drift may only read, and its sign-in ends with its own lease.
        if RunCredential.objects.filter(revoked_at=None, **mine).exclude(fence=DRIFT_FENCE).exists():
            left.append("a sign-in to the state")
        uuids = [str(change.uuid) for change in self.changes]
        folders = [path.name for path in self.folder.glob("work/*/*") if path.name[:36] in uuids]
        return left + [f"folder {name}" for name in folders]


def settle(row: Leftover, by: Principal) -> None:
    """What a person does about a resource outside the state: import what has an id, else dismiss it."""
    from environments.runs.leftovers import actions as leftover_actions

    if row.resource_id:
        leftover_actions.import_leftover(by=by, leftover=row)
    else:
        leftover_actions.dismiss(by=by, leftover=row, reason="It is a line in a file; nothing to keep.")
