"""Two web processes, two workers with folders of their own, a scheduler: processes of this machine, killed at random.

Runs on SQLite with the file broker, and in CI's second leg on PostgreSQL with Redis.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from environments.changes import dispatch, log
from environments.changes.lifecycle import FINAL, WORKING, Status
from environments.changes.models import Change, Claim
from environments.models import Environment, Resource
from environments.runs.leftovers import actions as leftover_actions
from environments.runs.leftovers import rows
from environments.runs.models import Leftover, StateLock, StateVersion
from portal.core.errors import Conflict
from portal.terraform.state import read_state
from tests.cast import by
from tests.environments.runs.conftest import Story
from tests.processes import Fleet, Wire, addresses_of_the_test

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]

PATIENCE = 150
SEED = 20261120
GOOD = (Status.SUCCEEDED, Status.NO_CHANGES)


def until(true: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what()}"
        time.sleep(0.1)


@dataclass
class Portal:
    """The processes, and the wire through which Terraform reaches the web processes in turn."""

    fleet: Fleet
    wire: Wire
    kills: int = 0

    def start_all(self) -> None:
        for name in ("web-1", "web-2"):
            self.fleet.add_web(name)
        self.fleet.wait_until_up()
        self.fleet.add_scheduler("scheduler")
        for name in ("worker-1", "worker-2"):
            self.fleet.add_worker(name, concurrency=1)

    def kill(self, name: str) -> None:
        self.fleet.kill(name)
        self.kills += 1
        self.fleet.revive(name)


@pytest.fixture
def portal(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    database, broker = addresses_of_the_test()
    fleet = Fleet(
        tmp_path / "portal",
        DATABASE_URL=database,
        CELERY_BROKER_URL=broker or f"portalfs://{tmp_path / 'broker'}",
        GATEHOUSE_BLUEPRINT_DIRS=str(engine.BLUEPRINT_DIRS[0]),
        GATEHOUSE_KEYRING_FILE=str(django_settings.GATEHOUSE_KEYRING_FILE),
        GATEHOUSE_LEASE_SECONDS="4",
        GATEHOUSE_HEARTBEAT_SECONDS="1",
        GATEHOUSE_SWEEP_SECONDS="1",
        GATEHOUSE_RESEND_SECONDS="2",
    )
    # The broker of the processes is not this process's: what it sends is lost, and the sweeper sends it again.
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": True)
    wire = Wire(lambda: list(fleet.web_ports.values()))
    fleet.environ["GATEHOUSE_INTERNAL_URL"] = wire.url
    made = Portal(fleet, wire)
    made.start_all()
    yield made
    fleet.stop()
    wire.stop()


def fresh(change: Change) -> Change:
    return Change.objects.for_lists().get(pk=change.pk)


def ended(change: Change, portal: Portal) -> Change:
    until(lambda: fresh(change).is_final, lambda: f"{fresh(change).status}\n{tails(portal)}")
    return fresh(change)


def tails(portal: Portal) -> str:
    return "\n".join(f"== {name}\n{portal.fleet.tail(name, 1500)}" for name in portal.fleet.children)


def worked_in(portal: Portal, change: Change) -> set[str]:
    """Workers in whose folder this change is now."""
    found = portal.fleet.folder.glob(f"work/*/{change.uuid}-*")
    return {path.parent.name for path in found}


def test_plan_on_one_worker_apply_on_the_other_states_through_both_web_processes(portal, story):
    story.define(steps=2, seconds=1)
    change = story.request(start="manual")
    until(lambda: fresh(change).status == Status.PROPOSING, lambda: tails(portal))
    planner = portal.fleet.owner_of(fresh(change).lease_owner.get("pid", 0))
    until(
        lambda: fresh(change).status == Status.APPROVED, lambda: fresh(change).error_message or tails(portal)
    )
    assert planner in {"worker-1", "worker-2"}
    # Its planner is gone for good, and its disk with it.
    portal.fleet.kill(planner)
    Change.objects.filter(pk=change.pk).update(start="on_approval", due_at=change.created_at)
    until(
        lambda: fresh(change).status == Status.EXECUTING, lambda: fresh(change).error_message or tails(portal)
    )
    other = portal.fleet.owner_of(fresh(change).lease_owner["pid"])
    assert {planner, other} == {"worker-1", "worker-2"}
    assert worked_in(portal, change) <= {other}
    assert ended(change, portal).status == Status.SUCCEEDED, fresh(change).error_message
    assert Counter(story.counter.read_text().split()) == {"0": 1, "1": 1}
    asked = {port for port, passing in portal.wire.served if str(story.environment.slug) in passing.path}
    assert asked == set(portal.fleet.web_ports.values()), "both web processes served this run's state"
    assert Resource.objects.filter(environment=story.environment, name="step").count() == 2
    assert not StateLock.objects.exists()


class Chaos:
    """Kills what the dice say, in the moments the dice say; the same dice for the same seed."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.dice = random.Random(SEED)
        self.next_at = time.monotonic() + 2

    def maybe(self, change: Change) -> None:
        if time.monotonic() < self.next_at or self.portal.kills >= 6:
            return
        self.next_at = time.monotonic() + self.dice.uniform(2, 5)
        what = self.dice.choice(["worker", "worker", "web-1", "web-2", "scheduler", "terraform"])
        if what == "worker":
            held = change.status in WORKING and change.lease_owner
            name = self.portal.fleet.owner_of(change.lease_owner["pid"]) if held else ""
            self.portal.kill(name or self.dice.choice(["worker-1", "worker-2"]))
        elif what == "terraform":
            tool = change.tool_process
            if change.status in WORKING and tool.get("pid"):
                self._kill_terraform(tool["pid"])
        else:
            self.portal.kill(what)

    def _kill_terraform(self, pid: int) -> None:
        try:
            # A group of its own; the worker's own number, which stands there for a moment, is none.
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
                self.portal.kills += 1
        except ProcessLookupError:
            return


def test_killed_at_random_everything_comes_through_once(portal, story, tenant):
    stories = [story, *(another(story, tenant, number) for number in (2, 3))]
    chaos = Chaos(portal)
    for one in stories:
        one.define(steps=4, seconds=1)
    running = {one.environment.slug: (one, one.request()) for one in stories}
    ran: dict[str, list[Change]] = {slug: [change] for slug, (_one, change) in running.items()}
    deadline = time.monotonic() + PATIENCE
    while running:
        assert time.monotonic() < deadline, (
            f"{[fresh(c).status for _s, c in running.values()]}\n{tails(portal)}"
        )
        for slug, (one, change) in list(running.items()):
            change = fresh(change)
            chaos.maybe(change)
            if change.status in GOOD:
                del running[slug]
            elif change.status in FINAL:
                again = next_run(one)
                if again is not None:
                    running[slug] = (one, again)
                    ran[slug].append(again)
        time.sleep(0.1)
    assert portal.kills >= 2
    for one in stories:
        proven(one, ran[one.environment.slug])
    until(
        lambda: not (Claim.objects.active().exists() or StateLock.objects.exists()),
        lambda: f"claims and locks given back\n{tails(portal)}",
    )
    uuids = [change.uuid for changes in ran.values() for change in changes]
    until(
        lambda: not [uuid for uuid in uuids if any(portal.fleet.folder.glob(f"work/*/{uuid}-*"))],
        lambda: f"the folders of the dead\n{tails(portal)}",
    )


def another(story: Story, tenant: Any, number: int) -> Story:
    environment = Environment.objects.create(
        tenant=tenant,
        slug=f"many-{number}",
        name=f"many-{number}",
        environment_class="staging",
        blueprint="steps",
    )
    return Story(environment, story.operator, story.counter.with_name(f"counter-{number}"))


def next_run(one: Story) -> Change | None:
    """What a person does after a run that was interrupted: settle what it left, ask again."""
    for row in rows.of(one.environment, Leftover.State.OPEN):
        if row.resource_id:
            leftover_actions.import_leftover(by=by(one.operator), leftover=row)
        else:
            leftover_actions.dismiss(by=by(one.operator), leftover=row, reason="a line in a file")
    try:
        return one.request()
    except Conflict:
        return None  # what it left is not worked out yet


def proven(one: Story, changes: list[Change]) -> None:
    newest = StateVersion.objects.filter(environment=one.environment).newest()
    assert newest is not None
    held = {row.address for row in read_state(newest.content).managed if not row.tainted}
    assert {f"terraform_data.step[{n}]" for n in range(4)} <= held
    for change in changes:
        change = fresh(change)
        made = change.progress.filter(action="create", state="done").values_list("address", flat=True)
        listed = set(Leftover.objects.filter(change=change).values_list("address", flat=True))
        assert set(made) <= held | listed
        text = log.read(change, after=0, limit=10**6).text
        assert all(f"{address}: Creation complete" in text for address in made)
        assert change.transitions.filter(to_status=Status.EXECUTING).count() <= 1
