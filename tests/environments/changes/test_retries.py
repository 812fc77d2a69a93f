"""Trying again: a new change whose votes are those of the old one as long as it does nothing that was not approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.utils import timezone

from environments.changes import actions, dispatch, retries
from environments.changes.kinds import Cancelled, ToolFailure
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal, Vote
from environments.changes.policies import put_in_force
from environments.models import Membership
from portal.accounts.actions.people import deactivate_person
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotAllowed, StaleState
from tests.cast import by, member
from tests.environments.changes.conftest import FakeKind, fresh, step
from tests.environments.changes.kinds_of_work import ask, registered

pytestmark = pytest.mark.django_db


@dataclass
class Steps(FakeKind):
    """Does the things of a list; a list within the approved one is no more than that."""

    name: ClassVar[str] = "steps"
    repeatable: ClassVar[bool] = True
    content: Any = field(default_factory=lambda: ["a", "b"])
    repeated: list[tuple[int, int]] = field(default_factory=list)

    def propose(self, work: Any) -> Any:
        self.facts = {"steps": list(self.content)}
        return super().propose(work)

    def repeat(self, earlier: Change, change: Change) -> None:
        self.repeated.append((earlier.pk, change.pk))

    def no_more_than(self, proposal: Proposal, earlier: Proposal) -> list[str]:
        return [one for one in proposal.facts["steps"] if one not in earlier.facts["steps"]]


@pytest.fixture
def steps() -> Iterator[Steps]:
    kind = Steps()
    with registered(kind):
        yield kind


def fails(work: Any) -> None:
    raise ToolFailure("AWS said no")


def approved_and_failed(steps, place, requester, *voters):
    change = step(ask(place, requester, "steps", reason="as planned", ticket="OPS-1"))
    for voter in voters:
        actions.approve(by=by(voter), change=change, digest=change.proposal.digest)
    steps.on_execute = fails
    change = step(change)
    steps.on_execute = lambda work: None
    assert change.status == Status.FAILED
    return change


@pytest.fixture
def failed(steps, production, operator, approver):
    return approved_and_failed(steps, production, operator, approver)


def votes(change):
    return list(Vote.objects.filter(proposal__change=change).order_by("pk"))


def told(change, action):
    return AuditEvent.objects.filter(target_id=str(change.uuid), action=action)


def test_the_rest_of_what_was_approved_keeps_its_votes_and_runs(steps, failed, operator, approver):
    steps.content = ["b"]
    again = retries.retry(by=by(operator), change=failed)
    assert (again.retry_of, again.status, again.title) == (failed, Status.REQUESTED, failed.title)
    assert (again.reason, again.ticket) == ("as planned", "OPS-1")
    assert steps.repeated == [(failed.pk, again.pk)]
    again = step(again)
    assert again.status == Status.APPROVED
    (vote,) = votes(again)
    (given,) = votes(failed)
    assert (vote.user, vote.carried_from, vote.at, vote.proposal) == (
        approver,
        given,
        given.at,
        again.proposal,
    )
    assert step(again).status == Status.SUCCEEDED
    assert told(failed, "change.retry").get().actor_name == str(operator)
    carried = told(again, "change.carry_votes").get()
    assert carried.after == {"voters": ["approver"], "earlier": str(failed.uuid)}


def test_anything_more_asks_again_and_says_what_is_new(steps, failed, operator, viewer, sign_in):
    steps.content = ["b", "drop the table"]
    again = step(retries.retry(by=by(operator), change=failed))
    assert again.status == Status.AWAITING_APPROVAL
    assert votes(again) == []
    assert told(again, "change.ask_again").get().after["beyond"] == ["drop the table"]
    text = sign_in(viewer).get(f"/changes/{again.uuid}/").content.decode()
    assert "It does more than was approved before, so it asks again" in text
    assert "drop the table" in text


def test_a_later_proposal_of_the_retry_is_judged_anew(steps, failed, operator, approver):
    again = step(retries.retry(by=by(operator), change=failed))
    assert again.status == Status.APPROVED
    steps.moved, steps.content = "the state moved", ["a", "c"]
    again = step(again)
    assert (again.status, again.proposal.number) == (Status.AWAITING_APPROVAL, 2)
    actions.approve(by=by(approver), change=again, digest=again.proposal.digest)
    steps.moved, steps.content = "the state moved", ["a"]
    assert step(again).status == Status.APPROVED


def test_a_carried_vote_that_was_taken_back_stays_back(steps, failed, operator, approver):
    again = step(retries.retry(by=by(operator), change=failed, reason=""))
    actions.withdraw(by=by(approver), change=again)
    assert fresh(again).status == Status.AWAITING_APPROVAL
    # Proposed once more, within what was approved: the person's No to this change still holds.
    steps.content = ["a"]
    Change.objects.filter(pk=again.pk).update(status=Status.REQUESTED)
    assert step(again).status == Status.AWAITING_APPROVAL


def test_an_old_vote_is_not_carried(steps, failed, operator, settings):
    old = timezone.now() - timedelta(hours=settings.APPROVAL_TTL_HOURS, minutes=1)
    Vote.objects.update(at=old)
    assert step(retries.retry(by=by(operator), change=failed)).status == Status.AWAITING_APPROVAL


def test_a_carried_vote_does_not_grow_younger(steps, failed, operator, settings):
    """Its approval ends when the vote's own would have; a retry of the retry counts from the same look."""
    looked = timezone.now() - timedelta(hours=settings.APPROVAL_TTL_HOURS - 1)
    Vote.objects.update(at=looked)
    again = step(retries.retry(by=by(operator), change=failed))
    assert again.status == Status.APPROVED
    assert again.expires_at == looked + timedelta(hours=settings.APPROVAL_TTL_HOURS)
    steps.on_execute = fails
    step(again)
    Vote.objects.update(at=looked - timedelta(hours=2))
    third = step(retries.retry(by=by(operator), change=fresh(again)))
    assert third.status == Status.AWAITING_APPROVAL


def test_a_voter_without_the_role_is_not_spoken_for(steps, failed, operator, approver):
    Membership.objects.filter(user=approver).delete()
    again = step(retries.retry(by=by(operator), change=failed))
    assert (again.status, votes(again)) == (Status.AWAITING_APPROVAL, [])


def test_a_voter_who_left_is_not_spoken_for(steps, failed, operator, approver, admin):
    deactivate_person(by=by(admin), person=approver)
    again = step(retries.retry(by=by(operator), change=failed))
    assert (again.status, votes(again)) == (Status.AWAITING_APPROVAL, [])


def test_who_asks_again_does_not_bring_their_own_vote_along(steps, production, operator, tenant):
    both = member("both", tenant, "operator", "approver")
    change = approved_and_failed(steps, production, operator, both)
    again = step(retries.retry(by=by(both), change=change))
    assert (again.status, votes(again)) == (Status.AWAITING_APPROVAL, [])


def test_who_wrote_the_definition_meanwhile_is_not_spoken_for(steps, failed, operator, approver):
    steps.authors = {approver.pk: "wrote it"}
    again = step(retries.retry(by=by(operator), change=failed))
    assert (again.status, votes(again)) == (Status.AWAITING_APPROVAL, [])


def test_gates_that_became_stricter_want_the_votes_that_are_missing(
    steps, failed, operator, approver, tenant
):
    gate = {"name": "Two", "roles": ["approver"], "votes": 2, "when": {"always": True}}
    put_in_force(failed.environment, [gate], "test")
    again = step(retries.retry(by=by(operator), change=failed))
    assert again.status == Status.AWAITING_APPROVAL
    assert [vote.user for vote in votes(again)] == [approver]
    second = member("second", tenant, "approver")
    actions.approve(by=by(second), change=again, digest=again.proposal.digest)
    assert step(again).status == Status.SUCCEEDED


def test_a_vote_that_did_not_stand_is_not_carried(steps, production, operator, approver, tenant):
    change = step(ask(production, operator, "steps"))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    actions.withdraw(by=by(approver), change=change)
    actions.cancel(by=by(operator), change=change)
    again = step(retries.retry(by=by(operator), change=fresh(change)))
    assert (again.status, votes(again)) == (Status.AWAITING_APPROVAL, [])


@pytest.mark.parametrize("end", ["cancelled midway", "interrupted", "regressed", "failed to propose"])
def test_each_end_that_did_not_come_through_may_be_tried_again(steps, staging, operator, end):
    change = ask(staging, operator, "steps")
    if end == "failed to propose":
        steps.on_propose = fails
        change = step(change)
        steps.on_propose = lambda work: None
    else:
        change = step(change)
        Change.objects.filter(pk=change.pk).update(
            status={"cancelled midway": "cancelled"}.get(end, end), finished_at=timezone.now()
        )
    again = retries.retry(by=by(operator), change=fresh(change))
    assert step(step(again)).status == Status.SUCCEEDED


@pytest.mark.parametrize("status", ["succeeded", "rejected", "expired", "superseded", "awaiting_approval"])
def test_what_came_through_or_was_refused_is_not(steps, failed, operator, status):
    Change.objects.filter(pk=failed.pk).update(status=status)
    with pytest.raises(StaleState):
        retries.retry(by=by(operator), change=fresh(failed))


def test_one_retry_at_a_time(steps, failed, operator):
    again = retries.retry(by=by(operator), change=failed)
    with pytest.raises(StaleState, match="being tried again already"):
        retries.retry(by=by(operator), change=failed)
    assert Change.objects.filter(retry_of=failed).count() == 1
    actions.cancel(by=by(operator), change=again)
    assert retries.retry(by=by(operator), change=failed)


def test_a_kind_that_cannot_is_not_tried_again(fake, staging, operator):
    fake.on_propose = fails
    change = step(ask(staging, operator, "fake"))
    with pytest.raises(StaleState, match="request it anew"):
        retries.retry(by=by(operator), change=change)


def test_a_retired_environment_takes_no_retry(steps, failed, operator):
    failed.environment.retired_at = timezone.now()
    failed.environment.save()
    with pytest.raises(Conflict):
        retries.retry(by=by(operator), change=fresh(failed))


def test_who_may_not_request_may_not_retry(steps, failed, viewer, approver):
    for user in (viewer, approver):
        with pytest.raises(NotAllowed):
            retries.retry(by=by(user), change=failed)
    refused = told(failed, "change.retry")
    assert {event.outcome for event in refused} == {"refused"}


def test_what_started_at_a_time_waits_for_start_now(steps, staging, operator):
    later = timezone.now() + timedelta(hours=1)
    change = step(ask(staging, operator, "steps", start="at", start_at=later))
    actions.cancel(by=by(operator), change=change)
    again = step(retries.retry(by=by(operator), change=fresh(change)))
    assert (again.start, again.start_at, again.status) == ("manual", None, Status.APPROVED)
    assert step(again).status == Status.APPROVED


def test_it_is_sent_after_commit_only(
    steps, failed, operator, monkeypatch, django_capture_on_commit_callbacks
):
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    with django_capture_on_commit_callbacks() as callbacks:
        again = retries.retry(by=by(operator), change=failed)
        assert sent == []
    for callback in callbacks:
        callback()
    assert sent == [str(again.uuid)]


def test_cancelled_on_the_way_goes_on_with_what_is_left(steps, production, operator, approver):
    def stop(work):
        raise Cancelled("a is done, b is not begun")

    steps.on_execute = stop
    change = step(ask(production, operator, "steps"))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert step(change).status == Status.CANCELLED
    steps.on_execute, steps.content = lambda work: None, ["b"]
    again = step(retries.retry(by=by(operator), change=fresh(change)))
    assert step(again).status == Status.SUCCEEDED


# --- pages and API ---------------------------------------------------------------------------------


def test_the_page_asks_says_what_becomes_of_the_votes_and_does_it(steps, failed, operator, viewer, sign_in):
    client, url = sign_in(operator), f"/changes/{failed.uuid}/retry/"
    assert url in client.get(f"/changes/{failed.uuid}/").content.decode()
    asked = client.get(url).content.decode()
    assert "1 vote was given here." in asked
    answer = client.post(url, {"reason": "once more"})
    again = Change.objects.get(retry_of=failed)
    assert answer.url == f"/changes/{again.uuid}/"
    again = step(again)
    text = sign_in(viewer).get(f"/changes/{again.uuid}/").content.decode()
    assert again.reason == "once more"
    assert "carried from" in text
    assert "Tries again" in text
    old = sign_in(viewer).get(f"/changes/{failed.uuid}/").content.decode()
    assert "Tried again:" in old
    # Twice, and from a page that was left open.
    assert client.post(url).status_code == 409
    assert client.get(url).content.decode().count("It is being tried again already") == 1


def test_the_page_by_method_and_person(steps, failed, viewer, outsider, sign_in):
    url = f"/changes/{failed.uuid}/retry/"
    assert Client().post(url).status_code in {302, 401}
    assert sign_in(outsider).get(url).status_code == 404
    assert sign_in(outsider).post(url).status_code == 404
    assert sign_in(viewer).post(url).status_code == 403
    assert "Not possible" in sign_in(viewer).get(url).content.decode()
    assert sign_in(viewer).put(url).status_code == 405
    assert not Change.objects.filter(retry_of=failed).exists()


def test_the_api_does_the_same(steps, failed, operator, viewer, outsider, api):
    url = f"/api/v1/changes/{failed.uuid}/retry/"
    assert api(viewer).post(url).status_code == 403
    assert api(outsider).post(url).status_code == 404
    assert api(operator).get(url).status_code == 405
    assert api(operator).get(f"/api/v1/changes/{failed.uuid}/").json()["actions"]["can_retry"]["allowed"]
    answer = api(operator).post(url, {"reason": "x"}, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["retry_of"], body["carried_votes"]) == (str(failed.uuid), [])
    again = step(Change.objects.get(uuid=body["id"]))
    body = api(viewer).get(f"/api/v1/changes/{again.uuid}/").json()
    assert body["carried_votes"] == ["approver"]
    assert api(operator).post(url).status_code == 409
