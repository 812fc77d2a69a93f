"""How long a rollout of a service takes, and how long it is waited for."""

from __future__ import annotations

import math
import statistics
from typing import Final

from django.conf import settings
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.deployments.declarations import Declaration
from environments.deployments.models import DeploymentPart, Strategy
from environments.deployments.rollout import update_request

LOOKED_AT: Final = 9


def usual_seconds(part: DeploymentPart) -> int | None:
    """The median of the service's last rollouts that came through the same way; None before the first."""
    rows = DeploymentPart.objects.filter(
        service_arn=part.service_arn,
        deployment__act=part.deployment.act,
        deployment__strategy=part.deployment.strategy,
        deployment__change__status=Status.SUCCEEDED,
    ).exclude(finished_at=None, started_at=None)
    took = [
        (row.finished_at - row.started_at).total_seconds()
        for row in rows.order_by("-id")[:LOOKED_AT]
        if row.finished_at and row.started_at
    ]
    return round(statistics.median(took)) if took else None


def bake_minutes(part: DeploymentPart, declaration: Declaration) -> int:
    """How long ECS keeps both versions after traffic has moved: as asked, else as the service declares."""
    seconds = part.deployment.bake_seconds
    return -(-(declaration.bake_seconds if seconds is None else seconds) // 60)


def overdue(part: DeploymentPart, declaration: Declaration) -> int | None:
    """Minutes after which a rollout is given up, once they are over; None before."""
    if part.started_at is None:
        return None
    minutes = settings.DEPLOYMENT_MINUTES + _waits(part, declaration)
    spent = (timezone.now() - part.started_at).total_seconds() / 60
    return minutes if spent > minutes else None


def _waits(part: DeploymentPart, declaration: Declaration) -> int:
    """Minutes that the strategy itself waits: its steps and ECS's bake."""
    steps = update_request.steps(part.deployment)
    canary = steps.get("canaryConfiguration", {}).get("canaryBakeTimeInMinutes", 0)
    linear = steps.get("linearConfiguration", {})
    rounds = math.ceil(100 / linear["stepPercent"]) if linear else 0
    bake = 0 if part.deployment.strategy == Strategy.ROLLING else bake_minutes(part, declaration)
    return int(bake + canary + rounds * linear.get("stepBakeTimeInMinutes", 0))
