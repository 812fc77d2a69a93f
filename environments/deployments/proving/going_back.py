"""Bringing one service back to what it ran before, inside the change that did not come through.

Each visit is one look and at most one act; what was asked of AWS is found again there, so that a worker
killed in between asks for nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.changes.work import Work
from environments.deployments.models import Act, DeploymentPart, Outcome, Step
from environments.deployments.proving.back_again import end, pause, settled, show, target, write
from environments.deployments.proving.proof import short
from environments.deployments.services import access_of
from portal.aws import autoscaling, ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

UNDER_WAY: Final = frozenset({"PENDING", "IN_PROGRESS"})
TURNING: Final = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
# AWS's words for "this deployment can no longer be stopped": the next look tells why.
TOO_LATE: Final = frozenset({"ConflictException", "ServiceDeploymentNotFoundException"})
# After this long the way back counts as failed; ECS may still get there.
PATIENCE: Final = timedelta(minutes=45)


def go_back(work: Work, part: DeploymentPart, why: str) -> bool:
    """Begin or go on with bringing this service back: True when it is back (or was never touched).

    False when it could not be brought back: `part.outcome_reason` says what is there now. Raises Later
    while it is under way.
    """
    if part.outcome:
        return part.outcome in {Outcome.ROLLED_BACK, Outcome.UNTOUCHED}
    access = access_of(work.change.environment)
    if access is None:
        return end(work, part, Outcome.ROLLBACK_FAILED, _("The environment has no AWS account any more."))
    _begin(work, part, why)
    try:
        return _look(work, part, access)
    except AwsError as error:
        if not error.permanent:
            work.say(_("AWS could not be asked; it is tried again: %(why)s") % {"why": error})
            raise Later(pause(part)) from error
        return end(work, part, Outcome.ROLLBACK_FAILED, str(error))


def _begin(work: Work, part: DeploymentPart, why: str) -> None:
    if part.step == Step.ROLLING_BACK:
        return
    text = _("%(service)s goes back to %(revision)s: %(why)s")
    work.say(text % {"service": part.service, "revision": short(part.previous_arn), "why": why})
    write(work, part, step=Step.ROLLING_BACK, outcome_reason=why, going_back_at=timezone.now())


def _look(work: Work, part: DeploymentPart, access: AccountAccess) -> bool:
    found = ecs.describe_services(access, part.cluster_arn, [part.service_arn])
    if not found or found[0].get("status") != "ACTIVE":
        text = _("The service is no more; there is nothing to bring back.")
        return end(work, part, Outcome.ROLLBACK_FAILED, text)
    if part.going_back_at is not None and timezone.now() > part.going_back_at + PATIENCE:
        text = _("It was not back after %(n)s minutes.") % {"n": int(PATIENCE.total_seconds() // 60)}
        return end(work, part, Outcome.ROLLBACK_FAILED, text)
    show(work, part, found[0])
    if part.deployment.act == Act.SCALE:
        return _rescale(work, part, access, found[0])
    ended = _by_ecs(work, part, access)
    if ended is not None:
        return ended
    if part.deployment.act == Act.RESTART:
        return _as_it_was(work, part)
    return _by_update(work, part, access, found[0])


def _by_ecs(work: Work, part: DeploymentPart, access: AccountAccess) -> bool | None:
    """Let ECS take back a deployment that it still makes; None when it is past that."""
    if not part.service_deployment_arn or part.back_arn:
        return None
    rows = ecs.describe_service_deployments(access, [part.service_deployment_arn])
    status = str(rows[0].get("status", "")) if rows else ""
    if status in UNDER_WAY:
        if _stop(work, part, access):
            raise Later(pause(part))
        return None
    if status in TURNING:
        raise Later(pause(part))
    if status == "ROLLBACK_FAILED":
        why = rows[0].get("statusReason") or status
        return end(
            work, part, Outcome.ROLLBACK_FAILED, _("ECS could not roll it back: %(why)s") % {"why": why}
        )
    if status == "ROLLBACK_SUCCESSFUL" and part.deployment.act == Act.RESTART:
        return end(work, part, Outcome.ROLLED_BACK)
    return None


def _stop(work: Work, part: DeploymentPart, access: AccountAccess) -> bool:
    """Ask ECS to stop and roll back; False when it knows nothing to roll back to."""
    try:
        ecs.stop_service_deployment(access, part.service_deployment_arn)
    except AwsError as refused:
        if refused.code in TOO_LATE:
            return True
        if not refused.permanent or refused.action:
            raise
        work.say(_("ECS does not roll back by itself: %(why)s") % {"why": refused})
        return False
    work.say(_("ECS was asked to stop this deployment and to roll it back."))
    write(work, part, rollback_arn=part.service_deployment_arn)
    return True


def _by_update(work: Work, part: DeploymentPart, access: AccountAccess, service: Mapping[str, Any]) -> bool:
    """Have the previous revision deployed again, and see it through."""
    now = str(service.get("taskDefinition", ""))
    if now in {part.previous_arn, part.back_arn}:
        if not (part.back_arn or part.ecs_deployment_id or part.service_deployment_arn):
            return end(work, part, Outcome.UNTOUCHED)
        return settled(work, part, access, service)
    if not part.previous_arn:
        text = _("What ran before is not known; there is nothing to go back to.")
        return end(work, part, Outcome.ROLLBACK_FAILED, text)
    if part.registered_arn and now != part.registered_arn:
        text = _("Something else deployed %(revision)s meanwhile; it was left alone.")
        return end(work, part, Outcome.FAILED, text % {"revision": short(now)})
    back = part.back_arn or target(access, part.previous_arn)
    # Before the call: asked twice for the same revision, ECS makes one deployment.
    write(work, part, back_arn=back)
    answer = ecs.update_service(
        access, cluster=part.cluster_arn, service=part.service_arn, taskDefinition=back, **at_once(service)
    )
    work.say(_("ECS was told to run %(revision)s again.") % {"revision": short(back)})
    write(work, part, rollback_arn=str(answer.get("currentServiceDeployment") or ""))
    raise Later(pause(part))


def at_once(service: Mapping[str, Any]) -> dict[str, Any]:
    """Way back means all traffic at once: no steps and no bake, whatever the service's strategy is."""
    now = service.get("deploymentConfiguration") or {}
    if now.get("strategy", "ROLLING") == "ROLLING":
        return {}
    kept = {
        name: value
        for name, value in now.items()
        if name not in {"linearConfiguration", "canaryConfiguration"}
    }
    return {"deploymentConfiguration": {**kept, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}}


def _as_it_was(work: Work, part: DeploymentPart) -> bool:
    if not (part.ecs_deployment_id or part.service_deployment_arn):
        return end(work, part, Outcome.UNTOUCHED)
    text = _("A restart alters nothing that could be brought back: the service runs the same revision.")
    return end(work, part, Outcome.FAILED, text)


def _rescale(work: Work, part: DeploymentPart, access: AccountAccess, service: Mapping[str, Any]) -> bool:
    """Set the counts of before again."""
    before = part.previous_scaling
    desired = before.get("desired")
    if part.intended_at is None or desired is None:
        return end(work, part, Outcome.UNTOUCHED)
    if not part.rollback_arn:
        if before.get("minimum") is not None and before.get("maximum") is not None:
            cluster = short(part.cluster_arn)
            autoscaling.set_scaling(
                access, cluster, part.service, int(before["minimum"]), int(before["maximum"])
            )
        ecs.update_service(
            access, cluster=part.cluster_arn, service=part.service_arn, desiredCount=int(desired)
        )
        work.say(_("The service is set to %(n)s tasks again.") % {"n": desired})
        # No deployment of ECS's: that it was done is all there is to keep.
        write(work, part, rollback_arn=part.service_arn)
        raise Later(pause(part))
    if service["runningCount"] != service["desiredCount"]:
        raise Later(pause(part))
    return end(work, part, Outcome.ROLLED_BACK)
