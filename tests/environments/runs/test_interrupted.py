"""After a kill -9 in the middle of a real apply: what was left is found, and imported or dismissed by the next run."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Any

import pytest

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.runs import housekeeping
from environments.runs.leftovers.actions import dismiss, import_all
from environments.runs.models import Leftover, StateLock, StateVersion
from environments.runs.states import store
from portal.core.errors import Conflict
from portal.terraform.state import read_state
from tests.cast import by
from tests.environments.runs.test_death import PATIENCE, fresh, in_the_middle, work_apart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]


def held(environment: Any) -> dict[str, str]:
    """What the newest state holds: address -> id."""
    newest = StateVersion.objects.filter(environment=environment).newest()
    return {one.address: one.id for one in read_state(newest.content).managed} if newest else {}


def kill_terraform(change: Change, story: Any) -> Change:
    """kill -9 of Terraform alone while some of its steps are done and some are not; the change as it ended."""
    thread = work_apart(change)
    try:
        in_the_middle(change, story)
        os.killpg(fresh(change).tool_process["pid"], signal.SIGKILL)
    finally:
        thread.join(PATIENCE)
    assert not thread.is_alive()
    return fresh(change)


def test_what_a_killed_terraform_made_is_imported_by_the_next_run(story, engine):
    story.define(steps=12, seconds=2)
    change = kill_terraform(story.work(story.request()), story)
    assert (change.status, change.error_kind) == (Status.FAILED, "tool"), change.error_message
    assert "ended from outside (signal 9)" in change.error_message
    assert "stopped midway: " in change.error_message
    # Terraform had sent nothing of it yet (traps.md 1), so all of it is left.
    assert held(story.environment) == {}
    made = {row.address: row.resource_id for row in change.leftovers.exclude(made_at=None)}
    begun = set(change.leftovers.filter(made_at=None).values_list("address", flat=True))
    assert any(".step[" in address for address in made)
    assert all(made.values())
    assert begun
    assert not begun & set(made)
    assert not change.terraform_run.unreckoned
    housekeeping.release_dead_locks()
    assert not StateLock.objects.exists()

    # Nobody runs anything here before each is decided about; a plan may look.
    with pytest.raises(Conflict):
        story.request()
    assert story.work(story.request("plan")).status == Status.PLANNED
    assert import_all(by=by(story.operator), change=change) == len(made)
    with pytest.raises(Conflict):
        story.request()
    for row in change.leftovers.filter(state=Leftover.State.OPEN):
        dismiss(by=by(story.operator), leftover=row, reason="It makes nothing before its step is over.")

    again = story.work(story.request())
    assert again.proposal is not None, again.error_message
    assert again.proposal.facts["imports"] == made
    assert f"{len(made)} to import" in again.summary
    rows = again.proposal.resource_changes.filter(reason="import")
    assert {row.address for row in rows} == set(made)
    assert "create" not in {row.action for row in rows}
    again = story.work(again)
    assert again.status == Status.SUCCEEDED, again.error_message
    now = held(story.environment)
    assert {address: now[address] for address in made} == made
    assert len([address for address in now if ".step[" in address]) == 12
    assert set(change.leftovers.values_list("state", flat=True)) == {"imported", "dismissed"}
    # What was imported ran once; what was only begun, once more.
    expected = {str(n): 2 if f"terraform_data.step[{n}]" in begun else 1 for n in range(12)}
    assert Counter(story.counter.read_text().split()) == expected
    # And that was all: nothing is left to do.
    assert story.work(story.request()).status == Status.NO_CHANGES


def test_an_import_that_this_run_does_not_plan_is_left_out_and_said(story, engine):
    story.define(steps=1)
    first = story.apply()
    for n, name in ((0, "another"), (7, "gone-with-the-count")):
        Leftover.objects.create(
            environment=story.environment,
            change=first,
            address=f"terraform_data.step[{n}]",
            type="terraform_data",
            resource_id=name,
            state=Leftover.State.IMPORTING,
        )
    plan = story.work(story.request("plan"))
    assert plan.status == Status.PLANNED, plan.error_message
    assert plan.proposal.facts["imports_left_out"] == ["terraform_data.step[0]", "terraform_data.step[7]"]
    assert Leftover.objects.filter(state=Leftover.State.IMPORTING).count() == 2
    assert store.position(story.environment)["serial"] == first.state_versions.newest().serial
