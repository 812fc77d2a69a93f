"""Changes through the API: the fixed shape, each act, and problem documents for what is refused."""

from __future__ import annotations

import uuid

import pytest

from environments.changes import actions
from environments.changes.kinds import ToolFailure
from environments.changes.lifecycle import Status
from environments.changes.models import Vote
from portal.audit.models import AuditEvent
from tests.cast import by
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db

BODIES = {
    "approve": lambda change: {"digest": change.proposal.digest, "comment": "ok"},
    "reject": lambda change: {"comment": "no"},
    "withdraw": lambda change: {},
    "start": lambda change: {},
    "cancel": lambda change: {"reason": "no"},
    "kill": lambda change: {"reason": "no"},
    "comments": lambda change: {"text": "Why?"},
}


def url_of(change, act=""):
    return f"/api/v1/changes/{change.uuid}/" + (f"{act}/" if act else "")


def send(client, change, act, body=None):
    return client.post(url_of(change, act), BODIES[act](change) if body is None else body, format="json")


@pytest.fixture
def awaiting(fake, production, operator):
    return step(ask_for(production, operator, reason="because"))


def test_one_change_has_the_fixed_shape(awaiting, approver, api):
    shown = api(approver).get(url_of(awaiting)).json()
    assert shown["id"] == str(awaiting.uuid)
    assert (shown["kind"], shown["environment"], shown["tenant"]) == ("fake", "triflow.production", "triflow")
    assert (shown["status"], shown["summary"], shown["requested_by"]) == (
        "awaiting_approval",
        "one to do",
        "operator",
    )
    assert shown["digest"] == awaiting.proposal.digest
    assert shown["gates"] == [
        {"name": "Approval", "needed": 1, "votes": [], "roles": ["approver"], "passed": False}
    ]
    assert shown["actions"]["can_approve"] == {"allowed": True, "reason": ""}
    assert shown["actions"]["can_start"]["allowed"] is False
    assert shown["actions"]["can_start"]["reason"]
    assert (shown["waiting_for"], shown["error"]) == (None, None)
    assert shown["created_at"]


def test_a_failure_is_told_with_kind_and_hint(fake, staging, operator, api):
    def refuse(work):
        raise ToolFailure("AccessDenied", "Ask for it")

    fake.on_propose = refuse
    change = step(ask_for(staging, operator))
    error = api(operator).get(url_of(change)).json()["error"]
    assert error == {"kind": "tool", "message": "AccessDenied", "hint": "Ask for it"}


def test_approve_and_the_votes_it_shows(awaiting, approver, api):
    answer = send(api(approver), awaiting, "approve")
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer.json()["gates"][0]["votes"] == ["approver"]
    event = AuditEvent.objects.get(action="change.approve")
    assert (event.actor_kind, event.outcome) == ("token", "done")
    again = send(api(approver), awaiting, "approve")
    assert again.status_code == 409
    assert again["Content-Type"].startswith("application/problem+json")
    assert again.json()["detail"]


def test_reject_withdraw_start_cancel_comment(fake, production, operator, approver, api):
    voter, asker = api(approver), api(operator)
    change = step(ask_for(production, operator, start="manual"))
    assert send(voter, change, "approve").json()["status"] == "approved"
    assert send(voter, change, "withdraw").json()["status"] == "awaiting_approval"
    assert send(voter, change, "approve").json()["status"] == "approved"
    assert send(asker, change, "start").status_code == 200
    assert step(change).status == Status.SUCCEEDED
    other = step(ask_for(production, operator))
    assert send(voter, other, "comments").status_code == 201
    assert send(voter, other, "reject").json()["status"] == "rejected"
    third = step(ask_for(production, operator))
    assert send(asker, third, "cancel").json()["status"] == "cancelled"


@pytest.mark.parametrize("act", sorted(BODIES))
def test_who_may_not(awaiting, viewer, outsider, api, client, act):
    before = awaiting.version
    refused = send(api(viewer), awaiting, act)
    # One's own vote may always be taken back; there is none.
    assert refused.status_code == (409 if act == "withdraw" else 403)
    assert refused.json()["status"] == refused.status_code
    assert send(api(outsider), awaiting, act).status_code == 404
    from rest_framework.test import APIClient

    nobody = send(APIClient(), awaiting, act)
    assert nobody.status_code == 401
    assert nobody["Content-Type"].startswith("application/problem+json")
    assert api(viewer).get(url_of(awaiting, act)).status_code == 405
    assert fresh(awaiting).version == before
    assert not Vote.objects.exists()


@pytest.mark.parametrize("act", ("approve", "reject"))
def test_not_ones_own(awaiting, operator, api, act):
    answer = send(api(operator), awaiting, act)
    assert answer.status_code == 403
    assert "You requested this change" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("act", "body", "field"),
    (
        ("approve", {}, "digest"),
        ("approve", {"digest": ["x"]}, "digest"),
        ("reject", {}, "comment"),
        ("reject", {"comment": "  "}, "comment"),
        ("comments", {"text": ""}, "text"),
        ("comments", {"text": "x" * 5000}, "text"),
    ),
)
def test_wrong_input_names_its_field(awaiting, approver, api, act, body, field):
    answer = send(api(approver), awaiting, act, body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


@pytest.mark.parametrize("body", ("[1]", '"x"', "{", "null", '{"digest": null}'))
def test_odd_bodies_are_the_clients_fault(awaiting, approver, api, body):
    for act in BODIES:
        answer = api(approver).post(url_of(awaiting, act), body, content_type="application/json")
        assert answer.status_code < 500, (act, body)
        assert fresh(awaiting).status == Status.AWAITING_APPROVAL or answer.status_code < 300


def test_another_proposal_than_the_one_read(awaiting, approver, api):
    answer = send(api(approver), awaiting, "approve", {"digest": "0" * 64})
    assert answer.status_code == 409
    assert "changed since you looked" in answer.json()["detail"]
    assert answer.json()["hint"]


def test_the_list_narrows_and_pages(fake, production, staging, operator, viewer, outsider, api):
    for _n in range(3):
        step(ask_for(staging, operator))
    step(ask_for(production, operator))
    client = api(viewer)

    def found(query):
        return [row["environment"] for row in client.get(f"/api/v1/changes/?{query}").json()["results"]]

    assert found("environment=triflow.production") == ["triflow.production"]
    assert len(found("status=approved")) == 3
    assert len(found("status=open")) == 4
    assert len(found("kind=fake&tenant=triflow")) == 4
    assert api(outsider).get("/api/v1/changes/").json()["results"] == []
    assert client.get("/api/v1/changes/?cursor=nonsense").status_code in {200, 400, 404}


def test_the_log_in_stretches(fake, staging, operator, viewer, api):
    fake.on_propose = lambda work: work.say("hello")
    change = step(step(ask_for(staging, operator)))
    part = api(viewer).get(url_of(change, "log")).json()
    assert part["text"].startswith("hello")
    rest = api(viewer).get(url_of(change, "log") + f"?after={part['next']}").json()
    assert (rest["text"], rest["complete"]) == ("", True)
    assert api(viewer).get(url_of(change, "log") + "?after=²").status_code == 200


def test_a_token_for_one_environment_reaches_no_other(
    fake, production, staging, operator, tenant, approver, api
):
    here, there = step(ask_for(production, operator)), step(ask_for(staging, operator))
    client = api(approver, environment_id="triflow.production")
    assert client.get(url_of(here)).status_code == 200
    assert client.get(url_of(there)).status_code == 404
    assert [row["id"] for row in client.get("/api/v1/changes/").json()["results"]] == [str(here.uuid)]
    assert send(client, here, "approve").status_code == 200
    assert send(client, there, "cancel").status_code == 404


def test_a_reading_token_does_nothing(awaiting, approver, api):
    client = api(approver, scopes=["read"])
    assert client.get(url_of(awaiting)).status_code == 200
    assert send(client, awaiting, "approve").status_code == 403
    assert not Vote.objects.exists()


def test_what_is_not_there(approver, api):
    assert api(approver).get(f"/api/v1/changes/{uuid.uuid4()}/").status_code == 404
    assert api(approver).get("/api/v1/changes/nonsense/").status_code == 404


def test_a_vote_of_somebody_who_lost_the_role_is_not_shown(awaiting, approver, viewer, api):
    from environments.changes.policies import put_in_force
    from environments.models import Membership

    gate = {"name": "Two", "roles": ["approver"], "votes": 2, "when": {"always": True}}
    put_in_force(awaiting.environment, [gate], "test")
    actions.approve(by=by(approver), change=awaiting, digest=awaiting.proposal.digest)
    client = api(viewer)
    assert client.get(url_of(awaiting)).json()["gates"][0]["votes"] == ["approver"]
    Membership.objects.filter(user=approver).delete()
    assert client.get(url_of(awaiting)).json()["gates"][0]["votes"] == []
