"""What was approved is started as approved, by those who still may, in time; or it is not started at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments import actions as environment_actions
from environments.changes import actions, claims, dispatch, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.changes.policies import put_in_force
from environments.models import Membership
from portal.core.errors import StaleState
from portal.notifications.models import Message
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def sent(monkeypatch):
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": ids.append(uuid))
    return ids


@pytest.fixture
def approved(fake, production, operator, approver):
    def made(**options):
        change = step(ask_for(production, operator, **options))
        return actions.approve(by=by(approver), change=change, digest=change.proposal.digest)

    return made


def expire(change):
    Change.objects.filter(pk=change.pk).update(expires_at=timezone.now() - SECOND)


# --- time ------------------------------------------------------------------------------------------


def test_an_approval_that_expired_in_the_queue_starts_nothing(fake, approved, production):
    """Also before the scheduler has looked: the worker that would start it sees for itself."""
    first, late = approved(), approved()

    def meanwhile(work):
        assert step(late).status == Status.APPROVED
        expire(late)

    fake.on_execute = meanwhile
    assert step(first).status == Status.SUCCEEDED
    late = step(late)
    assert (late.status, fake.executed) == (Status.EXPIRED, 1)
    assert "Nobody acted on it in time" in late.transitions.last().note
    assert Message.objects.filter(subject__contains="expired").exists()


def test_an_approval_that_expires_on_hold_is_gone_when_the_hold_is(
    fake, approved, production, operator, sent
):
    change = approved()
    hold = environment_actions.place_hold(by=by(operator), environment=production, reason="audit")
    expire(change)
    sweeper.sweep()
    change = fresh(change)
    assert (change.status, claims.waiting_for(change)) == (Status.EXPIRED, None)
    environment_actions.release_hold(by=by(operator), hold=hold)
    assert (step(change).status, fake.executed) == (Status.EXPIRED, 0)


def test_what_expired_stands_in_nobodys_way(fake, approved, staging, operator):
    first, second = approved(), approved()
    expire(first)
    assert step(second).status == Status.APPROVED
    assert step(first).status == Status.EXPIRED
    assert step(second).status == Status.SUCCEEDED


def test_a_start_at_a_time_beyond_the_approvals_life_is_reached(
    fake, production, staging, operator, approver, settings
):
    later = timezone.now() + timedelta(hours=settings.APPROVAL_TTL_HOURS * 2)
    for place in (production, staging):
        change = step(ask_for(place, operator, start="at", start_at=later))
        if place == production:
            actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
        change = fresh(change)
        assert change.status == Status.APPROVED
        assert change.expires_at > later


def test_a_start_whose_time_passed_while_the_portal_was_down_comes_once_it_is_back(
    fake, approved, sent, django_capture_on_commit_callbacks
):
    change = approved(start="at", start_at=timezone.now() + timedelta(hours=1))
    past = timezone.now() - timedelta(hours=2)
    Change.objects.filter(pk=change.pk).update(start_at=past, due_at=past)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()
    assert sent == [str(change.uuid)]
    assert step(change).status == Status.SUCCEEDED
    assert (step(change).status, fake.executed) == (Status.SUCCEEDED, 1)


def test_down_for_longer_than_the_approval_lasts_it_does_not_start(fake, approved):
    change = approved(start="at", start_at=timezone.now() + timedelta(hours=1))
    past = timezone.now() - timedelta(days=9)
    Change.objects.filter(pk=change.pk).update(
        start_at=past, due_at=past, expires_at=past + timedelta(hours=72)
    )
    assert (step(change).status, fake.executed) == (Status.EXPIRED, 0)


def test_approved_after_its_time_it_starts_at_once_and_the_page_says_so_before(
    fake, production, operator, approver, sign_in, sent, django_capture_on_commit_callbacks
):
    change = step(ask_for(production, operator, start="at", start_at=timezone.now() + timedelta(hours=1)))
    client = sign_in(approver)
    assert "After approval it waits for its time." in client.get(f"/changes/{change.uuid}/").content.decode()
    Change.objects.filter(pk=change.pk).update(start_at=timezone.now() - SECOND)
    text = client.get(f"/changes/{change.uuid}/").content.decode()
    assert "Its time has passed: approving starts it at once." in text
    with django_capture_on_commit_callbacks(execute=True):
        change = actions.approve(by=by(approver), change=fresh(change), digest=change.proposal.digest)
    assert sent == [str(change.uuid)]
    assert change.expires_at > timezone.now() + timedelta(hours=1)
    assert step(change).status == Status.SUCCEEDED


# --- people ----------------------------------------------------------------------------------------


def test_a_role_withdrawn_while_it_waits_in_the_queue_counts_at_the_start(fake, approved, approver):
    first, change = approved(), approved()

    def meanwhile(work):
        Membership.objects.filter(user=approver).delete()

    fake.on_execute = meanwhile
    assert step(first).status == Status.SUCCEEDED
    assert (step(change).status, fake.executed) == (Status.AWAITING_APPROVAL, 1)
    assert not Claim.objects.active().exists()


def test_a_role_withdrawn_while_the_base_is_looked_at_counts_too(fake, approved, approver, monkeypatch):
    change = approved()

    def look(self, change):
        Membership.objects.filter(user=approver).delete()

    monkeypatch.setattr(type(fake), "base_moved", look)
    step(change)
    assert (step(change).status, fake.executed) == (Status.AWAITING_APPROVAL, 0)


def test_a_gate_that_was_added_after_the_approval_counts_at_the_start(fake, approved, production, tenant):
    change = approved()
    gates = [
        {"name": name, "roles": [name], "votes": 1, "when": {"always": True}}
        for name in ("approver", "security")
    ]
    put_in_force(production, gates, "test")
    assert (step(change).status, fake.executed) == (Status.AWAITING_APPROVAL, 0)
    actions.approve(
        by=by(member("sec", tenant, "security")), change=fresh(change), digest=change.proposal.digest
    )
    assert step(change).status == Status.SUCCEEDED


def test_requester_and_voters_are_told_why_it_asks_again(fake, approved, operator, approver):
    change = approved()
    Message.objects.all().delete()
    fake.moved, fake.content = "the state moved: run 7 applied first", "two"
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    told = Message.objects.filter(subject__contains="has to be approved again")
    assert {message.address for message in told} == {operator.email, approver.email}
    assert all("run 7 applied first" in message.text for message in told)


def test_nobody_is_bothered_when_the_new_proposal_says_the_same(fake, approved):
    change = approved()
    before = Message.objects.count()
    fake.moved = "the state moved"
    change = step(change)
    assert change.status == Status.APPROVED
    subjects = Message.objects.order_by("-pk")[: Message.objects.count() - before].values_list(
        "subject", flat=True
    )
    assert not [subject for subject in subjects if "again" in subject or "awaits" in subject]


# --- place and life of an approval that is proposed again -------------------------------------------


def test_proposed_again_to_the_same_end_it_keeps_its_place_and_its_end(fake, approved):
    first, second = approved(), approved()
    was = fresh(first)
    fake.moved = "the state moved"
    first = step(first)
    assert (first.proposal.number, first.status) == (2, Status.APPROVED)
    assert (first.approved_at, first.expires_at) == (was.approved_at, was.expires_at)
    assert claims.waiting_for(fresh(second)).change == first


def test_proposed_again_to_another_end_it_starts_a_new_life(fake, approved, approver):
    change = approved()
    was = fresh(change)
    fake.moved, fake.content = "the state moved", "two"
    change = step(change)
    assert change.approved_at is None
    change = actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert change.approved_at > was.approved_at


# --- place ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["requested", "approved"])
def test_in_a_retired_environment_nothing_goes_on(fake, staging, operator, when):
    change = ask_for(staging, operator)
    if when == "approved":
        change = step(change)
    staging.retired_at = timezone.now()
    staging.save()
    change = step(change)
    assert (change.status, fake.executed) == (Status.CANCELLED, 0)
    assert fake.proposed == (when == "approved")
    assert "retired" in change.transitions.last().note


def test_an_environment_that_became_production_asks_for_votes(fake, staging, operator):
    change = step(ask_for(staging, operator))
    staging.environment_class = "production"
    staging.save()
    assert (step(change).status, fake.executed) == (Status.AWAITING_APPROVAL, 0)


def test_a_hold_placed_at_the_last_moment_still_stops_it(fake, staging, operator, monkeypatch):
    change = step(ask_for(staging, operator))

    def look(self, change):
        environment_actions.place_hold(by=by(operator), environment=staging, reason="stop")

    monkeypatch.setattr(type(fake), "base_moved", look)
    assert (step(change).status, fake.executed) == (Status.APPROVED, 0)
    assert not Claim.objects.active().exists()


def test_a_vote_on_what_is_no_longer_proposed_is_refused(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    with pytest.raises(StaleState):
        actions.approve(by=by(approver), change=change, digest="0" * 64)
