"""Each act on a change, pressed on its page: does it, and every way it is refused."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from environments.changes import actions, dispatch
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Vote
from portal.audit.models import AuditEvent
from portal.core.errors import NotAllowed
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db


def press(client, change, act, **data):
    return client.post(reverse("changes:act", args=[change.uuid, act]), data)


def told(change, action, outcome="done"):
    return AuditEvent.objects.filter(target_id=str(change.uuid), action=action, outcome=outcome)


@pytest.fixture
def awaiting(fake, production, operator):
    return step(ask_for(production, operator, reason="because"))


@pytest.fixture
def sent(monkeypatch):
    """Ids that went to the queue; nothing is sent before a commit."""
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": ids.append(uuid))
    return ids


def test_approve_moves_it_records_it_and_sends_it_after_commit(
    awaiting, approver, sign_in, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as later:
        answer = press(
            sign_in(approver), awaiting, "approve", digest=awaiting.proposal.digest, comment="good"
        )
        assert answer.status_code == 302
        assert answer.url == reverse("changes:detail", args=[awaiting.uuid])
        assert sent == []
    for callback in later:
        callback()
    assert str(awaiting.uuid) in sent
    after = fresh(awaiting)
    assert after.status == Status.APPROVED
    assert Vote.objects.get(proposal=awaiting.proposal).comment == "good"
    event = told(awaiting, "change.approve").get()
    assert (event.actor_name, event.actor_roles, event.tenant_id, event.environment) == (
        "Approver",
        ["approver"],
        "triflow",
        "production",
    )


def test_an_approval_whose_record_cannot_be_written_does_not_happen(
    awaiting, approver, sign_in, monkeypatch, sent, django_capture_on_commit_callbacks
):
    def full(**values):
        raise OSError("disk full")

    monkeypatch.setattr("environments.changes.transitions.audit.record", full)
    client = sign_in(approver)
    client.raise_request_exception = False
    with django_capture_on_commit_callbacks(execute=True):
        answer = press(client, awaiting, "approve", digest=awaiting.proposal.digest)
    assert answer.status_code == 500
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
    assert not Vote.objects.exists()
    assert sent == []


def test_approving_another_proposal_than_the_one_shown_is_stale(awaiting, approver, sign_in):
    answer = press(sign_in(approver), awaiting, "approve", digest="0" * 64)
    assert answer.status_code == 409
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
    assert told(awaiting, "change.approve", "refused").count() == 1


def test_approving_without_naming_a_proposal_is_stale(awaiting, approver, sign_in):
    assert press(sign_in(approver), awaiting, "approve").status_code == 409
    assert not Vote.objects.exists()


def test_approving_twice_counts_once(fake, production, operator, approver, sign_in):
    from environments.changes.policies import put_in_force

    gate = {"name": "Two", "roles": ["approver"], "votes": 2, "when": {"always": True}}
    put_in_force(production, [gate], "test")
    change = step(ask_for(production, operator))
    client = sign_in(approver)
    press(client, change, "approve", digest=change.proposal.digest)
    again = press(client, change, "approve", digest=change.proposal.digest)
    assert again.status_code == 409
    assert "already approved" in again.content.decode()
    assert Vote.objects.standing().count() == 1
    assert fresh(change).status == Status.AWAITING_APPROVAL


def test_reject_needs_a_reason_and_keeps_what_was_typed_elsewhere(awaiting, approver, sign_in):
    client = sign_in(approver)
    answer = press(client, awaiting, "reject", comment="  ")
    assert answer.status_code == 400
    assert "Say why" in answer.content.decode()
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
    assert press(client, awaiting, "reject", comment="not today").status_code == 302
    assert fresh(awaiting).status == Status.REJECTED
    assert told(awaiting, "change.reject").get().detail == "not today"
    assert press(client, awaiting, "reject", comment="not today").status_code == 409


def test_withdraw_takes_the_own_vote_back(fake, production, operator, approver, sign_in):
    change = step(ask_for(production, operator, start="manual"))
    client = sign_in(approver)
    press(client, change, "approve", digest=change.proposal.digest)
    assert press(client, change, "withdraw").status_code == 302
    assert fresh(change).status == Status.AWAITING_APPROVAL
    assert told(change, "change.withdraw").count() == 1
    assert press(client, change, "withdraw").status_code == 409


def test_start_is_pressed_once(
    fake, production, operator, approver, sign_in, sent, django_capture_on_commit_callbacks
):
    change = step(ask_for(production, operator, start="manual"))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert step(change).status == Status.APPROVED
    client = sign_in(operator)
    with django_capture_on_commit_callbacks(execute=True):
        assert press(client, change, "start").status_code == 302
    assert sent == [str(change.uuid)]
    assert press(client, change, "start").status_code == 409
    assert told(change, "change.start").count() == 1
    assert step(change).status == Status.SUCCEEDED


def test_cancel_ends_what_waits(awaiting, operator, sign_in):
    client = sign_in(operator)
    assert press(client, awaiting, "cancel", comment="a mistake").status_code == 302
    assert fresh(awaiting).status == Status.CANCELLED
    assert told(awaiting, "change.cancel").get().detail == (
        "a mistake Cancelled before it was approved; nothing was altered."
    )
    assert press(client, awaiting, "cancel").status_code == 409


def test_kill_needs_admin_a_cancel_a_pause_and_a_reason(fake, staging, operator, admin, sign_in, settings):
    change = step(ask_for(staging, operator))
    Change.objects.filter(pk=change.pk).update(status=Status.EXECUTING)
    assert press(sign_in(operator), change, "kill", comment="x").status_code == 403
    client = sign_in(admin)
    assert press(client, change, "kill", comment="stuck").status_code == 409
    actions.cancel(by=by(operator), change=fresh(change))
    assert "is still stopping" in press(client, change, "kill", comment="stuck").content.decode()
    settings.KILL_COOL_OFF_SECONDS = 0
    assert press(client, change, "kill", comment="").status_code == 400
    assert press(client, change, "kill", comment="stuck").status_code == 302
    assert fresh(change).kill_requested_by == "Admin"
    assert told(change, "change.kill").get().detail == "stuck"
    assert press(client, change, "kill", comment="stuck").status_code == 409


def test_a_question_ends_nothing_and_an_empty_one_is_told(awaiting, auditor, viewer, sign_in):
    url = reverse("changes:comment", args=[awaiting.uuid])
    client = sign_in(auditor)
    client.post(url, {"text": "Why now?"})
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
    assert told(awaiting, "change.comment").count() == 1
    page = client.get(reverse("changes:detail", args=[awaiting.uuid])).content.decode()
    assert "Why now?" in page
    assert "Write your question first" in client.post(url, {"text": " "}, follow=True).content.decode()
    assert awaiting.comments.count() == 1
    assert sign_in(viewer).post(url, {"text": "Me too"}).status_code == 403
    assert client.get(url).status_code == 405


ACTS = ("approve", "reject", "withdraw", "start", "cancel", "kill")


@pytest.mark.parametrize("act", ACTS)
def test_who_is_not_signed_in_is_sent_to_sign_in(awaiting, client, act):
    answer = press(client, awaiting, act, digest=awaiting.proposal.digest, comment="x")
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("accounts:sign_in"))
    assert fresh(awaiting).version == awaiting.version


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_see_it_finds_nothing(awaiting, outsider, sign_in, act):
    answer = press(sign_in(outsider), awaiting, act, digest=awaiting.proposal.digest, comment="x")
    assert answer.status_code == 404
    assert fresh(awaiting).version == awaiting.version


@pytest.mark.parametrize("act", ("approve", "reject", "start", "cancel", "kill"))
def test_who_may_not_is_told_why_and_it_is_recorded(awaiting, viewer, sign_in, act):
    answer = press(sign_in(viewer), awaiting, act, digest=awaiting.proposal.digest, comment="x")
    assert answer.status_code == 403
    refused = told(awaiting, f"change.{act}", "refused").get()
    assert refused.actor_name == "Viewer"
    assert refused.detail
    assert refused.detail in answer.content.decode().replace("&#x27;", "'")
    assert fresh(awaiting).version == awaiting.version


@pytest.mark.parametrize("act", ACTS)
def test_looking_at_the_question_does_nothing(awaiting, approver, sign_in, act):
    url = reverse("changes:act", args=[awaiting.uuid, act])
    assert sign_in(approver).get(url).status_code == 200
    assert sign_in(approver).put(url).status_code == 405
    assert fresh(awaiting).version == awaiting.version


@pytest.mark.parametrize("act", ("approve", "reject"))
def test_nobody_decides_on_their_own_request(fake, production, tenant, sign_in, act):
    both = member("both", tenant, "operator", "approver")
    change = step(ask_for(production, both))
    answer = press(sign_in(both), change, act, digest=change.proposal.digest, comment="mine")
    assert answer.status_code == 403
    assert "You requested this change" in answer.content.decode()
    assert not Vote.objects.exists()


def test_the_author_of_what_is_applied_does_not_approve_it(fake, production, operator, approver, sign_in):
    fake.authors = {approver.pk: "You wrote it."}
    change = step(ask_for(production, operator))
    answer = press(sign_in(approver), change, "approve", digest=change.proposal.digest)
    assert (answer.status_code, "You wrote it." in answer.content.decode()) == (403, True)


@pytest.mark.parametrize("act", ("approve", "reject", "withdraw", "start", "cancel", "kill"))
def test_an_ended_change_takes_no_act(fake, staging, tenant, operator, sign_in, act):
    everything = member("everything", tenant, "operator", "approver", "security", "admin")
    change = step(step(ask_for(staging, operator)))
    assert change.status == Status.SUCCEEDED
    answer = press(sign_in(everything), change, act, digest=change.proposal.digest, comment="late")
    assert answer.status_code == 409
    assert "succeeded" in answer.content.decode()


def test_an_act_that_is_none_is_not_found(awaiting, approver, sign_in):
    assert press(sign_in(approver), awaiting, "explode").status_code == 404
    nowhere = reverse("changes:act", args=[uuid.uuid4(), "approve"])
    assert sign_in(approver).post(nowhere).status_code == 404


def test_a_forged_form_is_refused(awaiting, approver):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(approver)
    assert press(client, awaiting, "approve", digest=awaiting.proposal.digest).status_code == 403
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL


def test_a_person_who_left_decides_nothing(awaiting, approver):
    approver.is_active = False
    approver.save()
    from django.http import Http404

    with pytest.raises((NotAllowed, Http404)):
        actions.approve(by=by(approver), change=awaiting, digest=awaiting.proposal.digest)
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
