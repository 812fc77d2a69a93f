"""A newer request for a service takes the place of older ones; both say so, and votes stay to be seen."""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.db import connection
from django.urls import reverse

from environments.changes import retries
from environments.changes.models import Change, Proposal, Vote
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.asked import superseding
from environments.deployments.models import ServiceProposal
from portal.audit.models import AuditEvent
from portal.notifications.models import Message
from tests.cast import by
from tests.environments.deployments import crafted
from tests.environments.deployments.requesting.test_requests import good

pytestmark = pytest.mark.django_db


def deploy(place, user, image="v2", *names, **asked):
    services = [Asked(name, image=image, **asked) for name in names or ["api"]]
    return actions.request_deployment(by=by(user), environment=place, services=services)


def now(change):
    return Change.objects.get(pk=change.pk)


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("awaiting_approval", "superseded"), ("approved", "superseded"), ("requested", "cancelled")],
)
def test_the_older_one_ends_and_both_say_so(status, becomes, production, operator, operator2, at_status):
    older = at_status(deploy(production, operator), status)
    newer = deploy(production, operator2, "v3")
    after = now(older)
    assert (after.status, after.superseded_by) == (becomes, newer)
    note = after.transitions.last().note
    assert "Deploy v3 to api" in note
    assert "Operator2" in note
    ended = AuditEvent.objects.get(target_id=str(older.uuid), action="change.superseded")
    assert ended.after["status"] == becomes
    told = AuditEvent.objects.get(target_id=str(newer.uuid), action="change.supersede")
    assert told.after["superseded"] == [str(older.uuid)]


def test_one_that_is_being_proposed_ends_as_soon_as_its_worker_looks(
    production, operator, operator2, at_status
):
    older = at_status(deploy(production, operator), "proposing")
    newer = deploy(production, operator2, "v3")
    after = now(older)
    assert (after.status, after.superseded_by) == ("proposing", newer)
    assert after.cancel_requested_at is not None
    assert after.cancel_requested_by == "Operator2"


@pytest.mark.parametrize("status", ["executing", "verifying", "succeeded", "rejected", "superseded"])
def test_what_is_executed_or_over_stays(status, production, operator, at_status):
    older = at_status(deploy(production, operator), status)
    deploy(production, operator, "v3")
    assert (now(older).status, now(older).superseded_by) == (status, None)


def test_only_the_same_services_and_the_same_nature(production, operator, at_status):
    def restart():
        return actions.request_restart(by=by(operator), environment=production, services=[Asked("api")])

    def scale():
        return actions.request_scale(
            by=by(operator), environment=production, services=[Asked("api", desired=3)]
        )

    of_ws = deploy(production, operator, "v2", "ws")
    first = deploy(production, operator, "v2")
    restarted, scaled = restart(), scale()
    settings = [Asked("api", environment={"LOG_LEVEL": "DEBUG"})]
    configured = actions.request_deployment(by=by(operator), environment=production, services=settings)
    assert now(first).superseded_by == configured
    assert {now(one).status for one in (of_ws, restarted, scaled, configured)} == {"requested"}
    again = restart()
    assert now(restarted).superseded_by == again
    assert now(scaled).superseded_by is None


def test_what_the_older_one_asked_besides_is_said(production, operator, at_status):
    older = at_status(deploy(production, operator, "v2", "api", "ws"), "awaiting_approval")
    deploy(production, operator, "v3", "api")
    assert "It asked for ws as well" in now(older).transitions.last().note


def test_a_rollback_replaces_no_deployment(production, operator, at_status):
    older = at_status(deploy(production, operator), "awaiting_approval")
    actions.request_rollback(by=by(operator), environment=production, deployment=good(production))
    assert now(older).status == "awaiting_approval"


def test_votes_of_the_older_one_stay_on_its_page(production, operator, approver, at_status, sign_in):
    older = deploy(production, operator)
    facts = {"kind": "deployment", "mode": "deploy", "services": ["api"]}
    proposal = Proposal.objects.create(
        change=older, number=1, digest="1" * 64, facts=facts, summary="v1 to v2"
    )
    Change.objects.filter(pk=older.pk).update(proposal=proposal)
    older = at_status(now(older), "awaiting_approval")
    Vote.objects.create(proposal=proposal, user=approver, decision="approve", comment="go on then")
    newer = deploy(production, operator, "v3")
    client = sign_in(approver)
    page = client.get(reverse("changes:detail", args=[older.uuid])).content.decode()
    assert "go on then" in page
    assert "A newer request takes its place:" in page
    assert reverse("changes:detail", args=[newer.uuid]) in page
    page = client.get(reverse("changes:detail", args=[newer.uuid])).content.decode()
    assert "Takes the place of" in page
    assert reverse("changes:detail", args=[older.uuid]) in page


def test_a_retry_asks_for_the_digest_and_replaces_what_is_older(production, operator, at_status):
    failed = deploy(production, operator, "v2", environment={"LOG_LEVEL": "DEBUG"})
    part = failed.deployment.parts.get()
    proposal = Proposal.objects.create(change=failed, number=1, digest="1" * 64)
    ServiceProposal.objects.create(
        proposal=proposal, part=part, position=0, running_arn="x", digest=crafted.NEW, tag="v2"
    )
    at_status(failed, "failed")
    older = deploy(production, operator, "v3")
    again = retries.retry(by=by(operator), change=failed)
    wanted = again.deployment.parts.get().wanted
    assert wanted == {"image": crafted.NEW, "tag": "v2", "environment": {"LOG_LEVEL": "DEBUG"}}
    assert now(older).superseded_by == again


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_remains(production, operator, operator2, monkeypatch):
    both = threading.Barrier(2)
    replace_older = superseding.replace_older

    def late(deployment, *, by):
        # Both look for older ones at the same moment, if nothing holds one of them back.
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)
        return replace_older(deployment, by=by)

    monkeypatch.setattr(superseding, "replace_older", late)

    def ask(user):
        deploy(production, user)
        connection.close()

    threads = [threading.Thread(target=ask, args=[user]) for user in (operator, operator2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Change.objects.filter(status="requested").count() == 1
    assert Change.objects.filter(status="cancelled", superseded_by__isnull=False).count() == 1


def test_the_requester_hears_of_it(production, operator, operator2, at_status):
    at_status(deploy(production, operator), "awaiting_approval")
    deploy(production, operator2, "v3")
    told = [message for message in Message.objects.all() if message.address == operator.email]
    assert [message.subject for message in told] == [
        "[TriFlow AI production] Deploy v2 to api in TriFlow AI production was replaced by a newer request of Operator2"
    ]
