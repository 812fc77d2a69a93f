"""What a service can go back to: proven deployments before the present one. Reads rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart, ServiceStatus
from environments.deployments.proposal.last_good import last_good, proven
from environments.deployments.services import Service, services_of
from environments.models import Environment

OFFERED: Final = 8


@dataclass(frozen=True)
class Choice:
    """One service: `good` is what it goes back to, None when nothing is known that could come back.

    `others` are further proven deployments, the newest first.
    """

    service: Service
    good: DeploymentPart | None
    others: tuple[DeploymentPart, ...] = ()


def choices(
    environment: Environment,
    *,
    named: Sequence[str] = (),
    undone: Change | None = None,
    to: Deployment | None = None,
) -> list[Choice]:
    """The services asked about, in the order in which they are deployed.

    `named` by name, ARN, address or key; else those of the change that is `undone`, or of the deployment `to`
    which it goes back; else all. Without `to` each goes back to the last good deployment before the present one,
    or before the undone change.
    """
    touched = {part.service_arn: part for part in undone.deployment.parts.all()} if undone else {}
    kept = {part.service_arn for part in to.parts.all()} if to else set()
    found = []
    for service in services_of(environment):
        if named and not {service.name, service.arn, service.address, service.declaration.key} & set(named):
            continue
        if not named and (touched or kept) and service.arn not in (touched or kept):
            continue
        found.append(_choice(environment, service, touched.get(service.arn), to))
    return found


def _choice(
    environment: Environment, service: Service, undone: DeploymentPart | None, to: Deployment | None
) -> Choice:
    rows = proven(service.arn).filter(deployment__change__environment=environment)
    if to is not None:
        good = rows.filter(deployment=to).first()
    elif undone is not None:
        good = rows.filter(pk__lt=undone.pk).exclude(registered_arn=undone.registered_arn or "-").first()
    else:
        good = last_good(service.arn, *_running(environment, service))
    others = rows.exclude(pk=good.pk) if good else rows
    return Choice(service, good, tuple(others.defer("progress", "wanted")[:OFFERED]))


def _running(environment: Environment, service: Service) -> tuple[str, str]:
    """Revision and digest that the last look found running; those of the last proven deployment without one."""
    status = ServiceStatus.objects.filter(environment=environment, service_arn=service.arn).first()
    newest = proven(service.arn).filter(deployment__change__environment=environment).first()
    if status is not None and status.task_definition_arn:
        image = status.images.get(service.declaration.container) or {}
        return status.task_definition_arn, str(image.get("digest", ""))
    return (newest.registered_arn, newest.digest) if newest else ("", "")
