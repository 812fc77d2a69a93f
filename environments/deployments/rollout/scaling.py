"""The act "scale": bounds of automatic scaling and the count of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from environments.changes.work import Work
from environments.deployments.models import Act, DeploymentPart
from portal.aws import autoscaling, ecs
from portal.aws.sessions import AccountAccess


def before(access: AccountAccess, part: DeploymentPart, service: Mapping[str, Any]) -> dict[str, Any]:
    """The counts to come back to: {"desired", "minimum", "maximum"}; bounds null where nothing scales by itself."""
    bounds = None
    if part.deployment.act == Act.SCALE:
        bounds = autoscaling.scaling_of(access, _cluster(part), part.service)
    return {
        "desired": service.get("desiredCount"),
        "minimum": bounds.minimum if bounds else None,
        "maximum": bounds.maximum if bounds else None,
    }


def scale(work: Work, access: AccountAccess, part: DeploymentPart) -> dict[str, Any]:
    """Set what was asked; what was not asked stays. Saying it twice is harmless. Raises AwsError."""
    asked, then = part.wanted, part.previous_scaling
    minimum, maximum = asked.get("minimum"), asked.get("maximum")
    if then.get("maximum") is not None and (minimum is not None or maximum is not None):
        lower = int(then["minimum"] if minimum is None else minimum)
        upper = int(then["maximum"] if maximum is None else maximum)
        autoscaling.set_scaling(access, _cluster(part), part.service, lower, max(lower, upper))
        work.lease.hold()
    desired = asked.get("desired")
    if desired is None:
        return ecs.describe_services(access, part.cluster_arn, [part.service_arn])[0]
    return ecs.update_service(
        access, cluster=part.cluster_arn, service=part.service_arn, desiredCount=int(desired)
    )


def _cluster(part: DeploymentPart) -> str:
    return part.cluster_arn.rpartition("/")[2]
