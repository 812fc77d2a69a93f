"""Cancelling and killing where no tool is at work: it ends at once, or it is said why there is nothing to stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments.changes import actions
from environments.changes.abilities import abilities
from environments.changes.lifecycle import CANCELLABLE, FINAL, Status
from environments.changes.models import Change
from portal.core.errors import StaleState
from tests.cast import by
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db


def brought_to(status: str, fake, production, operator, approver) -> Change:
    """A change in this status, the way it gets there."""
    change = ask_for(production, operator, start="manual")
    if status == Status.REQUESTED:
        return change
    change = step(change)
    if status == Status.APPROVED:
        change = actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert fresh(change).status == status
    return fresh(change)


@pytest.mark.parametrize(
    ("status", "words"),
    (
        (Status.REQUESTED, "Cancelled before anything was proposed; nothing was altered."),
        (Status.AWAITING_APPROVAL, "Cancelled before it was approved; nothing was altered."),
        (Status.APPROVED, "Cancelled before it started; nothing was altered."),
    ),
)
def test_what_waits_ends_at_once_and_says_how_far_it_was(
    fake, production, operator, approver, sign_in, status, words
):
    change = brought_to(status, fake, production, operator, approver)
    actions.cancel(by=by(operator), change=change, reason="A mistake.")
    change = fresh(change)
    assert (change.status, change.transitions.last().note) == (Status.CANCELLED, f"A mistake. {words}")
    assert step(change).status == Status.CANCELLED
    assert fake.executed == 0
    text = sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()
    assert "It ended without being applied" in text
    assert words in text


def test_cancelled_just_as_its_proposal_is_ready_it_ends_without_being_applied(fake, production, operator):
    fake.on_propose = lambda work: actions.cancel(by=by(operator), change=fresh(work.change))
    change = step(ask_for(production, operator))
    assert change.status == Status.CANCELLED
    note = change.transitions.last().note
    assert note == "Cancelled just as its proposal was ready; nothing was altered."


def test_a_worker_that_dies_over_a_cancelled_proposal_leaves_nothing_to_propose(fake, production, operator):
    """The wish stands in the row: whoever comes next obeys it."""
    change = ask_for(production, operator)
    now = timezone.now()
    Change.objects.filter(pk=change.pk).update(cancel_requested_at=now, cancel_requested_by="Operator")
    change = step(fresh(change))
    assert change.status == Status.CANCELLED
    assert fake.executed == 0


def in_status(change: Change, status: str) -> Change:
    Change.objects.filter(pk=change.pk).update(
        status=status, lease_until=timezone.now() + timedelta(minutes=1), cancel_requested_at=None
    )
    return fresh(change)


def test_while_the_outcome_is_read_there_is_nothing_left_to_stop(fake, staging, operator, admin):
    change = in_status(ask_for(staging, operator), Status.VERIFYING)
    with pytest.raises(StaleState, match="There is nothing left to stop"):
        actions.cancel(by=by(operator), change=change)
    with pytest.raises(StaleState, match="there is no Terraform left to kill"):
        actions.kill(by=by(admin), change=change, reason="Why not")
    assert fresh(change).cancel_requested_at is None


@pytest.mark.parametrize("status", Status.values)
def test_in_every_status_the_page_the_api_and_the_act_say_the_same(fake, staging, operator, admin, status):
    change = in_status(ask_for(staging, operator), status)
    able = abilities(change, operator)["can_cancel"]
    assert able.allowed == (status in CANCELLABLE)
    assert bool(able.reason) != able.allowed
    kill = abilities(change, admin)["can_kill"]
    assert not kill.allowed
    if status in (Status.PROPOSING, Status.EXECUTING):
        assert kill.reason == "Cancel it first: Terraform then saves its state."
    elif status in FINAL:
        assert kill.reason == f"The change is {Status(status).label.lower()}."
    if able.allowed:
        actions.cancel(by=by(operator), change=change)
    else:
        with pytest.raises(StaleState) as refused:
            actions.cancel(by=by(operator), change=change)
        assert refused.value.message == able.reason


def test_killing_twice_says_that_it_is_under_way(fake, staging, operator, admin, settings):
    settings.KILL_COOL_OFF_SECONDS = 0
    change = in_status(ask_for(staging, operator), Status.EXECUTING)
    actions.cancel(by=by(operator), change=change)
    actions.kill(by=by(admin), change=fresh(change), reason="It hangs")
    with pytest.raises(StaleState, match="Killing is already under way"):
        actions.kill(by=by(admin), change=fresh(change), reason="It hangs")
