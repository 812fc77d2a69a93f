"""Which of ECS's deployments of a service is ours: found again after a worker's death, or when ECS tells late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from environments.deployments.models import DeploymentPart
from portal.aws import ecs
from portal.aws.sessions import AccountAccess

# Clocks of AWS and of this machine may differ by this much.
SKEW: Final = timedelta(seconds=60)
LOOKED_THROUGH: Final = 5


def primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """ECS's newest deployment of a service; {} when it has none."""
    return next((row for row in service.get("deployments", []) if row.get("status") == "PRIMARY"), {})


def wanted_definition(part: DeploymentPart) -> str:
    """The revision that the deployment brings, or restarts."""
    return part.registered_arn or part.previous_arn


def ours(part: DeploymentPart, service: Mapping[str, Any]) -> Mapping[str, Any]:
    """ECS's deployment that came of our UpdateService: of our revision, and not the one of before; {} when none."""
    found = [
        row
        for row in service.get("deployments", [])
        if row.get("taskDefinition") == wanted_definition(part)
        and row.get("id") != part.previous_deployment_id
    ]
    found.sort(key=lambda row: row.get("status") != "PRIMARY")
    return found[0] if found else {}


def record_of(access: AccountAccess, part: DeploymentPart, before: str) -> tuple[str, int]:
    """(ARN of the service deployment that came of our UpdateService, calls made); "" while ECS tells of none.

    `before` is the service deployment that was current just before ours. Raises AwsError.
    """
    briefs = ecs.list_service_deployments(access, part.cluster_arn, part.service, LOOKED_THROUGH)
    since = _since(part, briefs, before)
    fresh = [
        brief
        for brief in briefs
        if brief["serviceDeploymentArn"] != before
        and _target(brief)
        and (since is None or brief.get("createdAt") is None or brief["createdAt"] >= since)
    ]
    if not fresh:
        return "", 1
    revisions = {
        row["serviceRevisionArn"]: row.get("taskDefinition")
        for row in ecs.describe_service_revisions(access, sorted({_target(brief) for brief in fresh}))
    }
    # The oldest of them: a later one of the same revision is somebody else's.
    for brief in sorted(fresh, key=lambda brief: brief.get("createdAt") or timezone.now()):
        if revisions.get(_target(brief)) == wanted_definition(part):
            return str(brief["serviceDeploymentArn"]), 2
    return "", 2


def _since(part: DeploymentPart, briefs: Sequence[Mapping[str, Any]], before: str) -> datetime | None:
    """When ours can have been made at the earliest: by AWS's own clock where it knows the one before."""
    for brief in briefs:
        if before and brief["serviceDeploymentArn"] == before and brief.get("createdAt"):
            found: datetime = brief["createdAt"]
            return found
    return part.intended_at - SKEW if part.intended_at else None


def _target(brief: Mapping[str, Any]) -> str:
    return str(brief.get("targetServiceRevisionArn") or "")
