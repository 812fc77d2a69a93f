"""Who is told of a change, once each, with a link that leads to its page."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from environments.changes import actions, notices
from environments.changes.kinds import ToolFailure
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from portal.notifications.models import Message
from tests.cast import by
from tests.environments.changes.conftest import ask_for, step

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.slack.com/services/T0/B0/secret"


def told(event=""):
    rows = Message.objects.filter(channel="email", dedupe_key__contains=f":{event}:" if event else ":")
    return sorted(row.address.partition("@")[0] for row in rows)


@pytest.fixture
def awaiting(fake, production, operator, approver, security, viewer, outsider, settings):
    settings.SLACK_WEBHOOK_URL = HOOK
    return step(ask_for(production, operator, reason="The certificate ends"))


def test_those_who_may_vote_are_asked_and_slack_too(awaiting):
    assert told() == ["approver"]
    message = Message.objects.get(channel="email")
    assert "awaits approval" in message.subject
    assert "The certificate ends" in message.text
    assert "one to do" in message.text
    slack = Message.objects.get(channel="slack")
    assert (slack.address, slack.subject) == (HOOK, message.subject)


def test_the_link_survives_sign_in(awaiting, client, approver, settings):
    link = Message.objects.get(channel="email").link
    page = reverse("changes:detail", args=[awaiting.uuid])
    assert link == settings.PUBLIC_URL + page
    asked = client.get(page)
    assert asked.status_code == 302
    from tests.cast import PASSWORD

    answer = client.post(asked.url, {"username": "approver", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == page
    assert answer.status_code == 200


def test_the_requester_hears_of_the_decision(awaiting, approver):
    actions.approve(by=by(approver), change=awaiting, digest=awaiting.proposal.digest)
    assert told("approved") == ["operator"]
    step(awaiting)
    assert told("succeeded") == ["operator"]


def test_a_rejection_says_by_whom_and_why(awaiting, approver):
    actions.reject(by=by(approver), change=awaiting, comment="Not on a Friday")
    message = Message.objects.get(channel="email", dedupe_key__contains=":rejected:")
    assert "rejected by Approver" in message.subject
    assert "Not on a Friday" in message.text


def test_a_failure_reaches_the_requester_with_its_first_line(fake, staging, operator):
    def refuse(work):
        raise ToolFailure("AccessDenied\nand much more")

    fake.on_propose = refuse
    step(ask_for(staging, operator))
    text = Message.objects.get(channel="email").text
    assert "AccessDenied" in text
    assert "much more" not in text


def test_a_question_reaches_both_sides(awaiting, approver):
    actions.ask(by=by(approver), change=awaiting, text="Why?")
    actions.ask(by=by(approver), change=awaiting, text="Really why?")
    assert told("question") == ["approver", "approver", "operator", "operator"]


def test_the_same_event_is_told_once(awaiting):
    before = Message.objects.count()
    change = Change.objects.for_lists().get(pk=awaiting.pk)
    with transaction.atomic():
        notices.announce(change, "awaiting_approval")
    assert Message.objects.count() == before


def test_who_left_or_has_no_address_is_not_written_to(fake, production, operator, approver, tenant):
    from tests.cast import member

    gone = member("gone", tenant, "approver")
    gone.is_active = False
    gone.save()
    mute = member("mute", tenant, "approver")
    mute.email = ""
    mute.save()
    step(ask_for(production, operator))
    assert told() == ["approver"]


def test_an_act_that_is_undone_tells_nobody(awaiting, approver, monkeypatch):
    before = Message.objects.count()

    def full(*args, **values):
        raise OSError("disk full")

    monkeypatch.setattr(actions, "dispatch", full)
    with pytest.raises(OSError, match="disk full"):
        actions.approve(by=by(approver), change=awaiting, digest=awaiting.proposal.digest)
    assert Message.objects.count() == before
    assert Change.objects.get(pk=awaiting.pk).status == Status.AWAITING_APPROVAL


def test_nothing_secret_is_told(fake, production, operator, approver):
    def talk(work):
        work.log.redactor.add(["hunter2-hunter2"])
        raise ToolFailure("the password hunter2-hunter2 is wrong")

    fake.on_propose = talk
    change = step(ask_for(production, operator))
    assert "hunter2" not in Message.objects.get(channel="email").text
    assert "hunter2" not in change.error_message + change.transitions.last().note
