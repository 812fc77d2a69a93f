"""A phase that rests until AWS has moved on: no worker holds it, its claims stay, and any worker goes on with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import TestCase
from django.utils import timezone

from environments.changes import dispatch, execution, sweeper
from environments.changes.actions import cancel
from environments.changes.fairness import fairest
from environments.changes.kinds import Cancelled, Later
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.changes.work import Work
from environments.models import Environment
from portal.accounts.models import User
from portal.core.clock import now
from tests.cast import by
from tests.environments.changes.conftest import WORKER, FakeKind, ask_for, fresh, step

pytestmark = pytest.mark.django_db


def rest(work: Work) -> None:
    raise Later(60)


@pytest.fixture
def resting(fake: FakeKind, staging: Environment, operator: User) -> Change:
    """Executing, and let go by its worker for a minute."""
    fake.can_resume = True
    fake.on_execute = rest
    change = step(step(ask_for(staging, operator)))
    assert change.status == Status.EXECUTING
    return change


def later(change: Change) -> Change:
    """A minute has passed."""
    Change.objects.filter(pk=change.pk).update(
        look_at=timezone.now() - timedelta(seconds=1), due_at=timezone.now()
    )
    return fresh(change)


def test_its_worker_is_free_and_its_claims_stay(resting: Change) -> None:
    assert resting.lease_until is None
    assert resting.look_at is not None
    assert resting.look_at > timezone.now() + timedelta(seconds=50)
    assert resting.claims.active().count() == 1


def test_before_its_time_nobody_looks_after_it_somebody_does(fake: FakeKind, resting: Change) -> None:
    assert step(resting).status == Status.EXECUTING
    assert fake.resumed == 0
    assert fairest() is None
    changed = step(later(resting))
    assert (fake.executed, fake.resumed) == (1, 1), "execute is never done twice"
    assert changed.status == Status.SUCCEEDED
    assert changed.claims.active().count() == 0


def test_it_may_rest_as_often_as_it_likes_and_in_verify_too(fake: FakeKind, resting: Change) -> None:
    fake.on_resume = rest
    for _number in range(3):
        assert step(later(resting)).status == Status.EXECUTING
    fake.on_resume = lambda work: None
    fake.on_verify = rest
    change = step(later(resting))
    assert change.status == Status.VERIFYING
    assert change.claims.active().count() == 0, "a bake holds none"
    fake.on_verify = lambda work: None
    assert step(later(change)).status == Status.SUCCEEDED
    assert (fake.executed, fake.resumed) == (1, 4)


def test_who_dies_while_looking_is_followed_by_another(fake: FakeKind, resting: Change) -> None:
    def die(work: Work) -> None:
        raise SystemExit

    fake.on_resume = die
    with pytest.raises(SystemExit):
        step(later(resting))
    Change.objects.filter(pk=resting.pk).update(lease_until=now() - timedelta(seconds=1))
    before = fresh(resting).fence
    sweeper.sweep()
    fake.on_resume = lambda work: None
    after = fresh(resting)
    assert after.fence == before + 1
    assert step(after).status == Status.SUCCEEDED
    assert fake.executed == 1


def test_a_cancel_wakes_it_at_once(fake: FakeKind, resting: Change, operator: User) -> None:
    with TestCase.captureOnCommitCallbacks(execute=False) as sent:
        cancel(by=by(operator), change=resting)
    assert sent, "a message, after commit"

    def stop(work: Work) -> None:
        if work.wishes()[0]:
            raise Cancelled("went back")

    fake.on_resume = stop
    change = step(resting)
    assert change.status == Status.CANCELLED
    assert change.claims.active().count() == 0


def test_a_cancel_that_came_while_it_looked_is_not_slept_over(
    fake: FakeKind, resting: Change, operator: User
) -> None:
    def cancelled_meanwhile(work: Work) -> None:
        cancel(by=by(operator), change=work.change)
        raise Later(60)

    fake.on_resume = cancelled_meanwhile
    change = step(later(resting))
    assert change.look_at is not None
    assert change.look_at <= timezone.now()


def test_a_worker_that_lost_it_lays_nothing_to_rest(fake: FakeKind, resting: Change) -> None:
    def overtaken(work: Work) -> None:
        Change.objects.filter(pk=resting.pk).update(fence=work.fence + 1)
        raise Later(1)

    fake.on_resume = overtaken
    step(later(resting))
    change = fresh(resting)
    assert change.lease_until is not None, "the other worker's lease stands"


def test_the_sweeper_sends_it_when_its_time_has_come(
    resting: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    sweeper.sweep()
    assert sent == []
    later(resting)
    sweeper.sweep()
    assert sent == [str(resting.uuid)]


def test_what_may_not_be_resumed_is_left_alone(fake: FakeKind, resting: Change) -> None:
    fake.can_resume = False
    assert not execution.advance(str(later(resting).uuid), by=WORKER)
    assert fake.resumed == 0


def test_a_queues_workers_take_its_own_kinds_only(
    fake: FakeKind, staging: Environment, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(fake), "queue", "deployments")
    sent: list[Any] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append((uuid, queue)))
    with TestCase.captureOnCommitCallbacks(execute=True):
        change = ask_for(staging, operator)
    assert sent == [(str(change.uuid), "deployments")]
    monkeypatch.setattr(type(fake), "queue", "changes")
    other = ask_for(staging, operator)
    monkeypatch.setattr(type(fake), "queue", "deployments")
    Change.objects.filter(pk=other.pk).update(kind="approval_policy")
    assert fairest(named=str(other.uuid)) == other, "a message of another queue does not start a deployment"
    assert fairest(named=str(change.uuid)) == change
