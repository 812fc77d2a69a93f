"""What a verify phase has found so far, kept in the deployment's row between two looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from environments.changes.work import Work
from environments.deployments.models import Deployment, DeploymentPart


class Wrong(Exception):
    """It did not come out as approved: why, and whether it shall go back by itself."""

    def __init__(self, why: str, *, back: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.back = back


def parts_of(deployment: Deployment) -> list[DeploymentPart]:
    """The deployment's services in their order, each knowing its deployment."""
    parts = list(deployment.parts.order_by("position"))
    for part in parts:
        part.deployment = deployment
    return parts


def note(work: Work, deployment: Deployment, **found: Any) -> None:
    """Keep what was found, if this worker still owns the change; a value None forgets it."""
    kept = {**deployment.verification, **found}
    kept = {name: value for name, value in kept.items() if value is not None}
    if kept != deployment.verification:
        set_fields(work, deployment, verification=kept)


def set_fields(work: Work, deployment: Deployment, **fields: Any) -> None:
    """Write fields of the deployment, if this worker still owns the change; StaleState otherwise."""
    with work.fenced():
        Deployment.objects.filter(pk=deployment.pk).update(**fields)
    for name, value in fields.items():
        setattr(deployment, name, value)


def enter(work: Work, deployment: Deployment, stage: str) -> None:
    """Begin a stage."""
    note(work, deployment, stage=stage, since=timezone.now().isoformat(), unread_since=None)


def age(deployment: Deployment) -> timedelta:
    """How long the stage has lasted."""
    return timezone.now() - datetime.fromisoformat(deployment.verification["since"])


def lasted(work: Work, deployment: Deployment, name: str, limit: timedelta) -> bool:
    """Whether this has been so for longer than `limit`; the first time, that it is so is noted."""
    since = deployment.verification.get(name)
    if since is None:
        note(work, deployment, **{name: timezone.now().isoformat()})
        return False
    return timezone.now() - datetime.fromisoformat(since) > limit
