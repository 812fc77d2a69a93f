"""Taking turns, holds and starts: who waits, for whom, and what lets them go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments.actions import holds
from environments.changes import actions, claims, dispatch, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from portal.core.errors import InvalidInput
from tests.cast import by
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": ids.append(uuid))
    return ids


def test_two_of_one_environment_take_turns_and_each_knows_behind_whom(
    fake, staging, operator, viewer, sign_in, api, sent, django_capture_on_commit_callbacks
):
    first, second, third = (step(ask_for(staging, operator)) for _ in range(3))
    seen = []

    def look(work):
        if work.change.pk != first.pk:
            return
        waiting = [claims.waiting_for(fresh(change)) for change in (second, third)]
        seen.extend((one.change.pk, one.place) for one in waiting)
        assert step(second).status == Status.APPROVED
        answer = api(viewer).get(f"/api/v1/changes/{third.uuid}/").json()
        assert answer["waiting_for"]["change"] == str(first.uuid)
        page = sign_in(viewer).get(f"/changes/{third.uuid}/").content.decode()
        assert "Place 2 in the queue" in page

    fake.on_execute = look
    with django_capture_on_commit_callbacks(execute=True):
        assert step(first).status == Status.SUCCEEDED
    assert seen == [(first.pk, 1), (first.pk, 2)]
    # Giving the claim back sends those who waited.
    assert {str(second.uuid), str(third.uuid)} <= set(sent)
    assert step(third).status == Status.APPROVED
    assert step(second).status == Status.SUCCEEDED
    assert step(third).status == Status.SUCCEEDED
    assert fake.executed == 3


def test_a_request_waits_for_what_executes_before_it_is_proposed(fake, staging, operator):
    first = step(ask_for(staging, operator))
    late = ask_for(staging, operator)

    def look(work):
        if work.change.pk == first.pk:
            assert step(late).status == Status.REQUESTED

    fake.on_execute = look
    step(first)
    assert step(late).status == Status.APPROVED


def test_other_environments_do_not_wait(fake, staging, production, operator):
    change = step(ask_for(staging, operator))
    Claim.objects.create(change=step(ask_for(production, operator)), subject=f"fake:{production.key}")
    assert claims.waiting_for(change) is None
    assert step(change).status == Status.SUCCEEDED


def test_a_rollback_goes_to_the_head(fake, staging, operator):
    plain, urgent = step(ask_for(staging, operator)), step(ask_for(staging, operator, priority=-10))
    assert claims.waiting_for(plain).change == urgent
    assert step(plain).status == Status.APPROVED
    assert step(urgent).status == Status.SUCCEEDED
    assert step(plain).status == Status.SUCCEEDED


def test_a_hold_stops_the_start_and_its_release_lets_it_go(
    fake, staging, operator, sent, django_capture_on_commit_callbacks
):
    change = step(ask_for(staging, operator))
    hold = holds.place_hold(by=by(operator), environment=staging, reason="office move")
    assert step(change).status == Status.APPROVED
    assert fake.executed == 0
    assert "office move" in claims.waiting_for(fresh(change)).text
    holds.release_hold(by=by(operator), hold=hold)
    Change.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()
    assert sent == [str(change.uuid)]
    assert step(change).status == Status.SUCCEEDED


def test_what_is_on_hold_does_not_stand_before_others(fake, staging, operator):
    held, other = step(ask_for(staging, operator)), step(ask_for(staging, operator))
    from environments.models import Hold

    hold = Hold.objects.create(environment=staging, reason="x", placed_by=operator)
    assert claims.in_front(other, [f"fake:{staging.key}"]) == []
    hold.delete()
    assert claims.in_front(other, [f"fake:{staging.key}"]) == [held]


def test_a_start_at_a_time_waits_for_it(fake, staging, operator, sent, django_capture_on_commit_callbacks):
    later = timezone.now() + timedelta(hours=2)
    change = step(ask_for(staging, operator, start="at", start_at=later))
    assert change.due_at == later
    assert step(change).status == Status.APPROVED
    assert claims.waiting_for(fresh(change)).until == later
    past = timezone.now() - timedelta(seconds=1)
    Change.objects.update(start_at=past, due_at=past)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()
    assert str(change.uuid) in sent
    assert step(change).status == Status.SUCCEEDED


def test_a_start_in_the_past_is_refused(fake, staging, operator):
    with pytest.raises(InvalidInput):
        ask_for(staging, operator, start="at", start_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvalidInput):
        ask_for(staging, operator, start="at")


def test_a_pressed_start_survives_a_base_that_moved(
    fake, staging, operator, sent, django_capture_on_commit_callbacks
):
    """Proposed again with the same outcome, it goes on by itself: Start was pressed and stands."""
    change = step(ask_for(staging, operator, start="manual"))
    actions.start(by=by(operator), change=change)
    fake.moved = "the state moved"
    with django_capture_on_commit_callbacks(execute=True):
        change = step(change)
    assert (change.status, change.proposal.number) == (Status.APPROVED, 2)
    assert str(change.uuid) in sent
    assert step(change).status == Status.SUCCEEDED


def test_a_pressed_start_ends_with_the_votes_it_stood_on(fake, production, operator, approver):
    """What is proposed now is something else: it is voted on, and Start pressed, again."""
    change = step(ask_for(production, operator, start="manual"))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    actions.start(by=by(operator), change=change)
    fake.moved, fake.content = "the state moved", "two"
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    change = step(change)
    assert (change.status, fake.executed) == (Status.APPROVED, 0)
    actions.start(by=by(operator), change=change)
    assert step(change).status == Status.SUCCEEDED


def test_a_subject_is_taken_by_one_whoever_looked_first(fake, staging, operator, monkeypatch):
    first, second = step(ask_for(staging, operator)), step(ask_for(staging, operator))
    claims.take(first)
    with pytest.raises(claims.Busy) as busy:
        claims.take(second)
    assert busy.value.waiting.change == first
    # Both looked at the same moment and saw nobody: the database lets one of them have it.
    monkeypatch.setattr(claims, "waiting_for", lambda change: None)
    with pytest.raises(claims.Busy):
        claims.take(second)
    assert [claim.change for claim in Claim.objects.active()] == [first]


def test_who_stands_in_front_is_let_first_at_the_last_moment_too(fake, staging, operator):
    first, second = step(ask_for(staging, operator)), step(ask_for(staging, operator))
    with pytest.raises(claims.Busy) as busy:
        claims.take(second)
    assert busy.value.waiting.change == first


def test_lifting_a_hold_sends_who_waited(
    fake, staging, operator, django_capture_on_commit_callbacks, monkeypatch
):
    from environments import actions as environment_actions
    from environments.changes import dispatch

    hold = environment_actions.place_hold(by=by(operator), environment=staging, reason="look first")
    change = step(step(ask_for(staging, operator)))
    assert change.status == Status.APPROVED
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    with django_capture_on_commit_callbacks(execute=True):
        environment_actions.release_hold(by=by(operator), hold=hold)
    assert sent == [str(change.uuid)]
