"""What a rollback would do, worked out as its proposal will be, without writing anything.

Asked of AWS while somebody looks: whatever cannot be read is said to be unknown, and hinders nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.gates import Gate, asked
from environments.changes.kinds import ToolFailure
from environments.deployments import preflight
from environments.deployments.models import Act, Deployment, DeploymentPart
from environments.deployments.proposal import modes, running, service_plans
from environments.deployments.proposal.service_plans import ServicePlan
from environments.deployments.rollbacks.choices import Choice
from environments.deployments.rollbacks.staying import Stays, stays
from environments.deployments.services import access_of
from environments.models import Environment
from portal.aws import ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess


@dataclass(frozen=True)
class Preview:
    """One service. `plan` None: it could not be worked out, `problem` says why; `hopeless`: it cannot work."""

    choice: Choice
    plan: ServicePlan | None = None
    problem: str = ""
    hint: str = ""
    hopeless: bool = False
    remarks: tuple[str, ...] = ()
    comes_back: tuple[dict[str, Any], ...] = ()
    stays: Stays = field(default_factory=Stays)

    @property
    def runs_it_already(self) -> bool:
        return self.plan is not None and not self.plan.does_something


def previews(environment: Environment, choices: Sequence[Choice]) -> list[Preview]:
    """What would come back for each service, and what would not."""
    access = access_of(environment)
    if access is None:
        text = _("%(environment)s has no AWS account.") % {"environment": environment}
        return [Preview(choice, problem=text, hopeless=True) for choice in choices]
    try:
        rows = running.rows(access, [choice.service for choice in choices])
    except AwsError as refused:
        return [Preview(choice, problem=refused.message, hint=refused.hint) for choice in choices]
    return [_preview(access, environment, choice, rows.get(choice.service.arn)) for choice in choices]


def gates_of(environment: Environment, found: Sequence[Preview]) -> list[Gate] | None:
    """The gates that such a rollback has to pass; None while it is not known."""
    planned = [one.plan for one in found if one.plan is not None and one.choice.good is not None]
    if not planned or len(planned) < len([one for one in found if one.choice.good is not None]):
        return None
    mode = modes.mode_of(planned[0].part.deployment, planned)
    return list(asked(environment, {"kind": "deployment", "act": Act.ROLLBACK.value, "mode": mode}))


def _preview(
    access: AccountAccess, environment: Environment, choice: Choice, row: dict[str, Any] | None
) -> Preview:
    good = choice.good
    if good is None:
        return Preview(choice)
    try:
        plan = service_plans.plan(access, environment, *_unsaved(choice, good), choice.service, row)
        then = ecs.describe_task_definition(access, good.registered_arn)
        found = preflight.run(access, environment, [_target(plan)])[0]
    except ToolFailure as failure:
        return Preview(choice, problem=failure.message, hint=failure.hint, hopeless=True)
    except AwsError as refused:
        hopeless = refused.permanent and not refused.action
        return Preview(choice, problem=refused.message, hint=refused.hint, hopeless=hopeless)
    failing = [one for one in found if one["state"] == preflight.FAILING]
    remarks = [one["text"] for one in found if one["state"] == preflight.WARNING]
    if then.get("status") != "ACTIVE":
        remarks.append(_("Its revision was deregistered; an equal one is registered again."))
    return Preview(
        choice,
        plan=plan,
        problem=" ".join(one["text"] for one in failing),
        hint=" ".join(one["hint"] for one in failing),
        hopeless=bool(failing),
        remarks=tuple(remarks),
        comes_back=tuple(plan.difference),
        stays=stays(environment, choice, plan, then),
    )


def _unsaved(choice: Choice, good: DeploymentPart) -> tuple[Deployment, DeploymentPart]:
    """The rows that the request will write (actions.request_rollback), for the plan to read."""
    deployment = Deployment(act=Act.ROLLBACK, rollback_to=good.deployment)
    part = DeploymentPart(
        deployment=deployment,
        position=0,
        address=choice.service.address,
        service_arn=choice.service.arn,
        service=choice.service.name,
        cluster_arn=choice.service.cluster_arn,
        container=good.container,
        wanted={"revision": good.registered_arn, "image": good.digest, "tag": good.tag},
    )
    return deployment, part


def _target(plan: ServicePlan) -> preflight.Target:
    return preflight.Target(
        service=plan.service,
        running_service=plan.running.service,
        running_definition=plan.running.definition,
        rendered=plan.rendered,
        image=plan.image,
        present_digest=plan.running.digest,
        act=Act.ROLLBACK,
    )
