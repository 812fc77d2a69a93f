"""Changing who must approve is itself a change: it needs the votes of the policy it replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes.actions import request
from environments.changes.gates import Gate, policy_in_force, read_gates
from environments.changes.kinds import ChangeKind, Draft, Verdict
from environments.changes.models import ApprovalPolicy, Change, PolicyEdit
from environments.changes.work import Work
from environments.models import Environment
from environments.permissions import actor, require
from portal import audit
from portal.accounts.models import User
from portal.accounts.principals import Principal
from portal.core.canonical import digest
from portal.core.errors import InvalidInput

KIND = "approval_policy"


def policy_number(environment: Environment) -> int:
    """The number of the policy in force; 0 before anybody set one."""
    newest = ApprovalPolicy.objects.filter(environment=environment).order_by("-number").first()
    return newest.number if newest else 0


def as_rows(gates: list[Gate]) -> list[dict[str, Any]]:
    return [gate.as_dict() for gate in gates]


def edit_policy(*, by: Principal, environment: Environment, gates: Any, reason: str = "") -> Change:
    """Ask for these gates; the change's page collects the votes that today's policy wants."""
    wanted = read_gates(gates)
    target = audit.Target("approval_policy", environment.key, str(environment))
    with acting(by, environment, action="policy.update", target=target):
        require(by, environment, "policy.update")
        if as_rows(wanted) == as_rows(policy_in_force(environment)):
            raise InvalidInput({"gates": [_("These are the gates in force already.")]})
        change = request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Change the approval policy of %(environment)s") % {"environment": environment},
            reason=reason,
        )
        PolicyEdit.objects.create(change=change, gates=as_rows(wanted))
    return change


def put_in_force(environment: Environment, gates: list[dict[str, Any]], author: str) -> ApprovalPolicy:
    """Write the next policy. Inside the caller's transaction."""
    return ApprovalPolicy.objects.create(
        environment=environment, number=policy_number(environment) + 1, gates=gates, author=author
    )


class ApprovalPolicyKind(ChangeKind):
    """Proposes a set of gates, and puts it in force."""

    name: ClassVar[str] = KIND
    proposal_template: ClassVar[str] = "changes/_policy_proposal.html"
    # Else one person alone could end the votes for good.
    may_break_glass: ClassVar[bool] = False

    def claims(self, change: Change) -> list[str]:
        return [f"policy:{change.environment.key}"]

    def propose(self, work: Work) -> Draft:
        change = work.change
        before = as_rows(policy_in_force(change.environment))
        after = change.policy_edit.gates
        base = {"policy": policy_number(change.environment)}
        return Draft(
            digest=digest({"kind": KIND, "before": before, "after": after, **base}),
            facts={"kind": KIND, "mode": "apply", "before": before, "after": after},
            base=base,
            summary=_("%(before)s gates become %(after)s") % {"before": len(before), "after": len(after)},
            empty=before == after,
        )

    def base_moved(self, change: Change) -> str | None:
        assert change.proposal is not None
        if change.proposal.base.get("policy") != policy_number(change.environment):
            return _("Another policy came into force meanwhile.")
        return None

    def execute(self, work: Work) -> None:
        change = work.change
        with transaction.atomic():
            before = as_rows(policy_in_force(change.environment))
            put_in_force(change.environment, change.policy_edit.gates, change.requested_by_name)
            audit.record(
                actor=actor(work.by, change.environment),
                action="policy.update",
                target=audit.Target("approval_policy", change.environment.key, str(change.environment)),
                tenant=change.environment.tenant.ref,
                environment=change.environment.slug,
                before={"gates": before},
                after={"gates": change.policy_edit.gates},
            )
        work.say(_("The new policy is in force."))

    def verify(self, work: Work) -> Verdict:
        in_force = as_rows(policy_in_force(work.change.environment))
        wanted = {gate["name"] for gate in work.change.policy_edit.gates}
        return Verdict(
            ok=wanted <= {gate["name"] for gate in in_force}, summary=_("The new policy is in force.")
        )

    def resumable(self, status: str) -> bool:
        return status == "verifying"

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        proposal = change.proposal
        return {
            "gates_before": proposal.facts["before"] if proposal else [],
            "gates_after": change.policy_edit.gates,
        }
