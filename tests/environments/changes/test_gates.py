"""Who may let a change through: gates, four eyes, roles held now, votes taken back."""

import pytest

from environments.changes import actions
from environments.changes.abilities import abilities, barred_voters
from environments.changes.gates import evaluate, policy_in_force, read_gates
from environments.changes.lifecycle import Status
from environments.changes.models import ApprovalPolicy
from environments.models import Membership
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db

TWO = [
    {"name": "Approval", "roles": ["approver"], "votes": 2, "when": {"always": True}},
    {"name": "Security", "roles": ["security"], "votes": 1, "when": {"touches_iam": True}},
]


def set_policy(environment, gates):
    ApprovalPolicy.objects.create(environment=environment, number=1, gates=gates, author="test")


def test_nobody_approves_their_own_request(fake, production, tenant):
    both = member("both", tenant, "operator", "approver")
    change = step(ask_for(production, both))
    with pytest.raises(NotAllowed):
        actions.approve(by=by(both), change=change, digest=change.proposal.digest)
    refused = AuditEvent.objects.filter(action="change.approve", outcome="refused")
    assert refused.count() == 1


def test_nor_a_definition_they_wrote(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    fake.authors = {approver.pk: "You wrote it"}
    with pytest.raises(NotAllowed, match="You wrote it"):
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)


@pytest.mark.parametrize("role", ["viewer", "operator2", "finance", "auditor", "admin"])
def test_other_roles_do_not_count(fake, production, operator, role, request):
    user = request.getfixturevalue(role)
    change = step(ask_for(production, operator))
    assert not abilities(change, user)["can_approve"].allowed
    with pytest.raises(NotAllowed):
        actions.approve(by=by(user), change=change, digest=change.proposal.digest)


def test_one_vote_counts_for_every_gate_whose_role_its_voter_holds(
    fake, production, operator, approver, tenant
):
    set_policy(production, TWO)
    fake.facts = {"touches_iam": ["aws_iam_role.x"]}
    wide = member("wide", tenant, "approver", "security")
    change = step(ask_for(production, operator))
    assert len(evaluate(change, barred=barred_voters(change))) == 2
    actions.approve(by=by(wide), change=change, digest=change.proposal.digest)
    assert [state.missing for state in evaluate(fresh(change), barred={})] == [1, 0]
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert fresh(change).status == Status.APPROVED


def test_a_gate_that_does_not_apply_asks_nobody(fake, production, operator, approver, tenant):
    set_policy(production, TWO[1:])
    assert step(ask_for(production, operator)).status == Status.APPROVED


def test_a_withdrawn_vote_closes_the_gate_again_until_the_start(fake, production, operator, approver):
    change = step(ask_for(production, operator, start="manual"))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    actions.withdraw(by=by(approver), change=change)
    assert fresh(change).status == Status.AWAITING_APPROVAL


def test_roles_are_asked_again_at_the_start(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    Membership.objects.filter(user=approver).delete()
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    assert fake.executed == 0


def test_production_never_destroys_with_one_gate(production, staging):
    set_policy(production, TWO[:1])
    names = [gate.name for gate in policy_in_force(production) if gate.asks({"mode": "destroy", "kind": "x"})]
    assert names == ["Approval", "Destroy"]
    assert policy_in_force(staging) == []


def test_a_wrong_policy_names_each_field():
    with pytest.raises(InvalidInput) as wrong:
        read_gates([{"name": "", "roles": ["king"], "votes": 0, "when": {"moon": True}}])
    assert set(wrong.value.errors) == {"gates.0.name", "gates.0.roles", "gates.0.votes", "gates.0.when"}
