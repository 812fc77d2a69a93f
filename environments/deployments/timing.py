"""How long a rollout of a service takes, and how long it is waited for."""

from __future__ import annotations

import statistics
from typing import Final

from django.conf import settings
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.deployments.models import DeploymentPart, Strategy

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


def overdue(part: DeploymentPart) -> int | None:
    """Minutes after which a rollout is given up, once they are over; None before."""
    if part.started_at is None:
        return None
    minutes = settings.DEPLOYMENT_MINUTES + _steps_minutes(part)
    spent = (timezone.now() - part.started_at).total_seconds() / 60
    return minutes if spent > minutes else None


def _steps_minutes(part: DeploymentPart) -> int:
    """What the strategy itself waits: its steps and ECS's bake."""
    deployment = part.deployment
    options = deployment.strategy_options
    bake = -(-(deployment.bake_seconds or 0) // 60)
    if deployment.strategy == Strategy.ROLLING:
        return 0
    if deployment.strategy == Strategy.CANARY:
        return bake + int(options.get("canary_bake_minutes") or 10)
    if deployment.strategy == Strategy.LINEAR:
        rounds = -(-100 // int(float(options.get("step_percent") or 10) or 10))
        return bake + rounds * int(options.get("step_bake_minutes") or 6)
    return bake
