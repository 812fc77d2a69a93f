"""Telling ECS, once: what is intended is written first, and looked for before it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.changes.work import Work
from environments.deployments.declarations import Declaration
from environments.deployments.models import Act, DeploymentPart, ServiceProposal, Step
from environments.deployments.rollout import scaling, timing, update_request
from environments.deployments.rollout.recognising import ours, primary
from portal.aws import ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess


def update(
    work: Work,
    access: AccountAccess,
    part: DeploymentPart,
    proposal: ServiceProposal,
    declaration: Declaration,
) -> None:
    """Begin the rollout of one service, unless it has begun. Raises ToolFailure, AwsError."""
    service = _service(access, part)
    if part.intended_at is not None and _begun(part, service):
        _note(work, part, service)
        return
    _fits(part, proposal, service)
    if part.intended_at is None:
        _intend(work, access, part, proposal, service)
    work.lease.hold()
    try:
        answer = _tell(work, access, part, service, declaration)
    except AwsError as refused:
        if not refused.permanent:
            raise
        raise ToolFailure(f"{part.service}: {refused.message}", refused.hint) from refused
    _note(work, part, answer)
    work.say(_("%(service)s: ECS was told. It ran %(before)s until now.") % _words(part))


def _tell(
    work: Work,
    access: AccountAccess,
    part: DeploymentPart,
    service: Mapping[str, Any],
    declaration: Declaration,
) -> dict[str, Any]:
    if part.deployment.act == Act.SCALE:
        return scaling.scale(work, access, part)
    asked = update_request.parameters(part, service, declaration, timing.bake_minutes(part, declaration))
    return ecs.update_service(access, **asked)


def _service(access: AccountAccess, part: DeploymentPart) -> dict[str, Any]:
    found = ecs.describe_services(access, part.cluster_arn, [part.service_arn])
    if not found or found[0].get("status") != "ACTIVE":
        raise ToolFailure(
            _("The service %(service)s is no more.") % {"service": part.service},
            _("Look at the environment's Terraform runs: one of them, or somebody by hand, removed it."),
        )
    return found[0]


def _fits(part: DeploymentPart, proposal: ServiceProposal, service: Mapping[str, Any]) -> None:
    """What runs must still be what the proposal was made of: a service may have waited for those before it."""
    if proposal.running_arn and service.get("taskDefinition") != proposal.running_arn:
        names = {
            "service": part.service,
            "now": str(service.get("taskDefinition", "")).rpartition("/")[2],
            "then": proposal.running_arn.rpartition("/")[2],
        }
        raise ToolFailure(
            _(
                "%(service)s: somebody deployed %(now)s outside the portal; %(then)s was approved to be replaced."
            )
            % names,
            _(
                "CloudTrail tells who called UpdateService. Request the deployment again to see what it would do now."
            ),
        )


def _intend(
    work: Work,
    access: AccountAccess,
    part: DeploymentPart,
    proposal: ServiceProposal,
    service: Mapping[str, Any],
) -> None:
    before = scaling.before(access, part, service)
    usual = timing.usual_seconds(part)
    with work.fenced():
        part.step = Step.UPDATING
        part.intended_at = part.started_at = timezone.now()
        part.previous_arn = str(service.get("taskDefinition") or "")
        part.previous_digest = proposal.running_digest
        part.previous_scaling = before
        part.previous_deployment_id = str(primary(service).get("id") or "")
        part.progress = {
            "usual_seconds": usual,
            # The calls of this visit count too: this look, the update, and what was asked before it.
            "watch": {"calls": 3, "before": str(service.get("currentServiceDeployment") or "")},
        }
        part.save()


def _begun(part: DeploymentPart, service: Mapping[str, Any]) -> bool:
    """Whether the call that was intended reached ECS before the worker that made it died."""
    if part.deployment.act == Act.SCALE:
        return False  # Said twice, it is the same.
    return bool(ours(part, service))


def _note(work: Work, part: DeploymentPart, service: Mapping[str, Any]) -> None:
    with work.fenced():
        part.step = Step.WATCHING
        part.ecs_deployment_id = str(ours(part, service).get("id") or "")
        part.save(update_fields=["step", "ecs_deployment_id"])


def _words(part: DeploymentPart) -> dict[str, str]:
    return {"service": part.service, "before": part.previous_arn.rpartition("/")[2]}
