"""Changing who must approve takes the votes of the policy it replaces."""

from __future__ import annotations

import pytest
from django.urls import reverse

from environments.changes import actions, claims
from environments.changes.gates import policy_in_force
from environments.changes.lifecycle import Status
from environments.changes.models import ApprovalPolicy, Change
from environments.changes.policies import edit_policy
from portal.audit.models import AuditEvent
from tests.cast import by
from tests.environments.changes.conftest import fresh, step

pytestmark = pytest.mark.django_db

PAGE = "/environments/triflow/production/policy/"
FORM = {
    "gate-0-name": "Security",
    "gate-0-roles": ["security"],
    "gate-0-votes": "1",
    "gate-0-when": ["touches_iam", "touches_network"],
    "gate-1-name": "Everybody",
    "gate-1-roles": ["approver", "operator"],
    "gate-1-votes": "2",
    "gate-1-when": ["always"],
    "gate-1-modes": ["apply", "destroy"],
    "reason": "two pairs of eyes",
}


def names(environment):
    return [gate.name for gate in policy_in_force(environment)]


def test_the_page_says_what_is_in_force(production, viewer, admin, sign_in):
    text = sign_in(viewer).get(PAGE).content.decode()
    assert "Approval" in text
    assert "Request this policy" not in text
    assert "Request this policy" in sign_in(admin).get(PAGE).content.decode()


def test_a_new_policy_takes_a_vote_under_the_old_one(production, admin, approver, sign_in):
    answer = sign_in(admin).post(PAGE, FORM)
    assert answer.status_code == 302
    change = Change.objects.get()
    assert answer.url == reverse("changes:detail", args=[change.uuid])
    assert (change.kind, change.reason) == ("approval_policy", "two pairs of eyes")
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    assert names(production) == ["Approval", "Destroy"]
    page = sign_in(approver).get(answer.url).content.decode()
    assert "Everybody" in page
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    change = step(change)
    assert change.status == Status.SUCCEEDED, change.error_message
    assert names(production) == ["Security", "Everybody"]
    gate = policy_in_force(production)[1]
    assert (gate.roles, gate.votes, gate.modes) == (("approver", "operator"), 2, ("apply", "destroy"))
    event = AuditEvent.objects.get(action="policy.update", outcome="done")
    assert [one["name"] for one in event.after["gates"]] == ["Security", "Everybody"]


def test_removing_every_gate_takes_the_gates_votes_too(production, admin, approver):
    change = step(edit_policy(by=by(admin), environment=production, gates=[]))
    assert change.status == Status.AWAITING_APPROVAL
    assert step(change).status == Status.AWAITING_APPROVAL
    assert ApprovalPolicy.objects.count() == 0
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    step(change)
    # Production never destroys without a second pair of eyes, whatever the policy says.
    assert names(production) == ["Destroy"]


def test_the_requester_does_not_vote_for_their_own_policy(production, tenant):
    from tests.cast import member

    both = member("both", tenant, "admin", "approver")
    change = step(edit_policy(by=by(both), environment=production, gates=[]))
    from portal.core.errors import NotAllowed

    with pytest.raises(NotAllowed):
        actions.approve(by=by(both), change=change, digest=change.proposal.digest)


def test_two_edits_at_once_the_second_is_read_again(production, admin, approver):
    gate = {"name": "One", "roles": ["approver"], "votes": 1, "when": {"always": True}}
    first = step(edit_policy(by=by(admin), environment=production, gates=[gate]))
    second = step(edit_policy(by=by(admin), environment=production, gates=[]))
    for change in (first, second):
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert step(first).status == Status.SUCCEEDED
    assert claims.waiting_for(fresh(second)) is None
    second = step(second)
    assert (second.status, second.proposal.number) == (Status.AWAITING_APPROVAL, 2)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    (
        ("gate-0-name", "", "Give the gate a name"),
        ("gate-0-roles", [], "Name at least one role"),
        ("gate-0-roles", ["admin"], "Name at least one role"),
        ("gate-0-votes", "0", "whole number from 1 to 9"),
        ("gate-0-votes", "many", "whole number from 1 to 9"),
        ("gate-0-votes", "²", "whole number from 1 to 9"),
        ("gate-0-when", [], "Say when the gate applies"),
        ("gate-0-name", "Everybody", "Two gates have this name"),
    ),
)
def test_wrong_input_is_told_at_its_gate_and_nothing_typed_is_lost(
    production, admin, sign_in, field, value, words
):
    answer = sign_in(admin).post(PAGE, {**FORM, field: value})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert words in text
    assert "Everybody" in text
    assert "two pairs of eyes" in text
    assert not Change.objects.exists()


def test_the_same_gates_again_are_no_change(production, admin, sign_in):
    from environments.changes.policies import as_rows

    gates = as_rows(policy_in_force(production))
    from portal.core.errors import InvalidInput

    with pytest.raises(InvalidInput):
        edit_policy(by=by(admin), environment=production, gates=gates)


def test_who_may_not(production, operator, viewer, outsider, sign_in, client):
    for person in (operator, viewer):
        assert sign_in(person).post(PAGE, FORM).status_code == 403
    assert AuditEvent.objects.filter(action="policy.update", outcome="refused").count() == 2
    for method in ("get", "post"):
        assert getattr(sign_in(outsider), method)(PAGE).status_code == 404
        assert getattr(client, method)(PAGE).status_code == 302
    assert sign_in(operator).delete(PAGE).status_code == 405
    assert not Change.objects.exists()


def test_the_api_asks_the_same(production, admin, viewer, outsider, api):
    url = "/api/v1/environments/triflow.production/approval-policy/"
    answer = api(viewer).get(url)
    assert [gate["name"] for gate in answer.json()["gates"]] == ["Approval", "Destroy"]
    gates = [{"name": "One", "roles": ["finance"], "votes": 2, "when": {"destroys": True}}]
    asked = api(admin).put(url, {"gates": gates, "reason": "why not"}, format="json")
    assert asked.status_code == 202
    assert asked.json()["kind"] == "approval_policy"
    assert names(production) == ["Approval", "Destroy"]
    assert api(viewer).put(url, {"gates": gates}, format="json").status_code == 403
    assert api(outsider).get(url).status_code == 404
    wrong = api(admin).put(url, {"gates": [{"name": ""}]}, format="json")
    assert wrong.status_code == 400
    assert "gates.0.roles" in wrong.json()["errors"]
    assert api(admin).put(url, {"gates": "none"}, format="json").status_code == 400
    assert api(admin).put(url, [1], format="json").status_code == 400
    nasty = [{"name": "One", "roles": ["finance"], "votes": 1, "when": {"always": True, "kinds": 5}}]
    assert api(admin).put(url, {"gates": nasty}, format="json").status_code == 400
