"""Death and loss: messages that never came, workers that died, approvals nobody used."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments.changes import actions, dispatch, execution, sweeper
from environments.changes.leases import lease_fields
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim, Transition
from environments.changes.transitions import move
from portal.audit.models import AuditEvent
from portal.core.errors import StaleState
from portal.notifications.models import Message
from tests.cast import by
from tests.environments.changes.conftest import WORKER, ask_for, fresh, step
from tests.environments.changes.test_races import together

pytestmark = pytest.mark.django_db

PAST = timedelta(seconds=60)


class Dies(BaseException):
    """What a worker's sudden death looks like to Python: nothing after it runs."""


@pytest.fixture
def sent(monkeypatch):
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": ids.append(uuid))
    return ids


@pytest.fixture
def sweep(sent, django_capture_on_commit_callbacks):
    def run():
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            sweeper.sweep()
        return list(sent)

    return run


def die(fake, phase):
    def stop(work):
        raise Dies

    setattr(fake, f"on_{phase}", stop)


def killed(change, fake, phase):
    """The change after its worker died in this phase, with the lease run out."""
    die(fake, phase)
    with pytest.raises(Dies):
        execution.advance(str(change.uuid), by=WORKER)
    setattr(fake, f"on_{phase}", lambda work: None)
    Change.objects.filter(pk=change.pk).update(lease_until=timezone.now() - PAST)
    return fresh(change)


def overdue(change):
    Change.objects.filter(pk=change.pk).update(due_at=timezone.now() - PAST)


def test_a_lost_message_is_sent_again_and_again_but_not_at_once(fake, staging, operator, sweep):
    change = ask_for(staging, operator)
    assert sweep() == []
    overdue(change)
    assert sweep() == [str(change.uuid)]
    assert sweep() == []
    overdue(change)
    assert sweep() == [str(change.uuid)]


def test_a_broker_that_is_away_costs_time_not_the_change(fake, staging, operator, monkeypatch, sweep):
    def away(*args, **options):
        raise OSError("no broker")

    monkeypatch.undo()
    monkeypatch.setattr("celery.current_app.send_task", away)
    change = ask_for(staging, operator)
    dispatch.send(str(change.uuid))
    assert fresh(change).status == Status.REQUESTED
    assert fresh(change).due_at is not None


def test_who_dies_while_proposing_is_followed_by_another(fake, staging, operator, sweep):
    change = killed(ask_for(staging, operator), fake, "propose")
    assert change.status == Status.PROPOSING
    fence = change.fence
    assert sweep() == [str(change.uuid)]
    change = fresh(change)
    assert (change.status, change.lease_until) == (Status.REQUESTED, None)
    assert change.fence > fence
    assert "died while proposing" in change.transitions.last().note
    assert step(change).status == Status.APPROVED


def test_who_dies_while_executing_leaves_it_interrupted_with_what_is_known(
    fake, staging, operator, sweep, monkeypatch
):
    monkeypatch.setattr(type(fake), "after_death", lambda self, change: "It had made half of it.")
    change = killed(step(ask_for(staging, operator)), fake, "execute")
    assert change.status == Status.EXECUTING
    sweep()
    change = fresh(change)
    assert (change.status, change.error_kind) == (Status.INTERRUPTED, "portal")
    assert "It had made half of it." in change.error_message
    assert "refresh" in change.error_hint
    assert AuditEvent.objects.filter(target_id=str(change.uuid), action="change.interrupted").count() == 1
    assert Message.objects.filter(dedupe_key__contains=":interrupted").count() == 1
    assert step(change).status == Status.INTERRUPTED
    assert fake.executed == 1


def test_its_claim_stays_until_its_tool_is_proven_dead(fake, staging, operator, sweep):
    waiting = step(ask_for(staging, operator, priority=5))
    change = killed(step(ask_for(staging, operator)), fake, "execute")
    fake.running = None
    sweep()
    assert Claim.objects.active().filter(change=change).exists()
    assert step(waiting).status == Status.APPROVED
    fake.running = True
    sweep()
    assert Claim.objects.active().filter(change=change).exists()
    fake.running = False
    assert str(waiting.uuid) in sweep()
    assert not Claim.objects.active().exists()
    assert step(waiting).status == Status.SUCCEEDED


def test_a_phase_that_may_be_resumed_goes_on_elsewhere(fake, staging, operator, sweep):
    fake.can_resume = True
    change = killed(step(ask_for(staging, operator)), fake, "verify")
    assert change.status == Status.VERIFYING
    assert sweep() == [str(change.uuid)]
    assert step(change).status == Status.SUCCEEDED
    assert fake.executed == 1


def test_a_living_worker_is_left_alone(fake, staging, operator, sweep):
    change = killed(step(ask_for(staging, operator)), fake, "execute")
    Change.objects.update(lease_until=timezone.now() + PAST)
    assert sweep() == []
    assert fresh(change).status == Status.EXECUTING


@pytest.mark.parametrize("approve", (False, True))
def test_what_nobody_acts_on_expires(fake, production, operator, approver, sweep, approve):
    change = step(ask_for(production, operator, start="manual"))
    if approve:
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    sweep()
    assert fresh(change).status in {Status.AWAITING_APPROVAL, Status.APPROVED}
    Change.objects.update(expires_at=timezone.now() - PAST)
    sweep()
    change = fresh(change)
    assert change.status == Status.EXPIRED
    assert change.finished_at is not None
    assert step(change).status == Status.EXPIRED
    with pytest.raises(StaleState):
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_it_once(fake, staging, operator, production, monkeypatch):
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    dead = killed(step(ask_for(staging, operator)), fake, "execute")
    lost = killed(ask_for(production, operator), fake, "propose")
    old = step(ask_for(production, operator))
    Change.objects.filter(pk=old.pk).update(expires_at=timezone.now() - PAST)
    results = together([sweeper.sweep] * 4)
    assert [one for one in results if one is not None] == []
    for change, status in ((dead, "interrupted"), (lost, "requested"), (old, "expired")):
        moves = Transition.objects.filter(change=change, to_status=status).exclude(from_status="")
        assert moves.count() == 1, status
        assert AuditEvent.objects.filter(target_id=str(change.uuid), action=f"change.{status}").count() == 1


def test_a_stale_worker_moves_nothing_and_proposes_nothing(fake, staging, operator):
    """It was given up for dead, and comes back when another has taken over."""

    def overtaken(work):
        Change.objects.filter(pk=work.change.pk).update(fence=work.fence + 1)

    fake.on_propose = overtaken
    change = step(ask_for(staging, operator))
    assert change.status == Status.PROPOSING
    assert not change.proposals.exists()
    assert Transition.objects.filter(change=change).count() == 2


def test_a_stale_worker_writes_no_field(fake, staging, operator):
    tried = []

    def overtaken(work):
        Change.objects.filter(pk=work.change.pk).update(fence=work.fence + 1)
        try:
            work.set(tool_process={"pid": 1})
        except StaleState as refused:
            tried.append(refused)
            raise

    fake.on_execute = overtaken
    change = step(step(ask_for(staging, operator)))
    assert tried
    assert (change.status, change.tool_process) == (Status.EXECUTING, {})


def test_a_lease_is_never_given_twice_with_the_same_fence(fake, staging, operator):
    change = ask_for(staging, operator)
    stale = fresh(change)
    move(change, Status.PROPOSING, by=WORKER, **lease_fields(change))
    with pytest.raises(StaleState):
        move(stale, Status.PROPOSING, by=WORKER, **lease_fields(stale))
    assert fresh(change).fence == 1
