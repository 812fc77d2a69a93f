"""Whether what a service runs came from here: from a deployment of the portal, or from its Terraform."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import F

from environments.deployments.models import DeploymentPart, ServiceStatus
from environments.deployments.services import Service
from environments.deployments.shown.ownership import DEFINITION
from environments.models import Environment, Resource

KEPT: Final = 200


def registered(arns: Collection[str]) -> set[str]:
    """Those of these revisions that a deployment of the portal registered or put in force."""
    forward = DeploymentPart.objects.filter(registered_arn__in=arns).values_list("registered_arn", flat=True)
    # Made anew on the way back, because what ran before could no longer be used.
    back = DeploymentPart.objects.filter(back_arn__in=arns).exclude(back_arn=F("previous_arn"))
    return {*forward, *back.values_list("back_arn", flat=True)}


def of_terraform(environment: Environment) -> set[str]:
    """Revisions that stand in the environment's state now."""
    rows = Resource.objects.filter(environment=environment, type=DEFINITION)
    return {arn or provider_id for arn, provider_id in rows.values_list("arn", "provider_id")}


def remembered(service: Service, before: ServiceStatus | None, in_state: Collection[str]) -> list[str]:
    """Terraform's revisions so far, the newest last: the state holds only the newest, an older one may still run."""
    known = list(before.known_revisions) if before else []
    now = {*in_state, service.declaration.task_definition} - {"", *known}
    return [*known, *sorted(now)][-KEPT:]


def is_out_of_band(running: str, known: Sequence[str], deployed: Collection[str]) -> bool:
    """Whether nobody here made the running revision. A service that runs nothing was not tampered with."""
    return bool(running) and running not in known and running not in deployed
