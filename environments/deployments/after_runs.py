"""What a Terraform run leaves for deployments to take: its new revisions."""

from __future__ import annotations

from collections.abc import Sequence

from environments.deployments.proposal.ownership import family_of
from environments.deployments.services import TYPE, services_of
from environments.deployments.shown.links import service_url
from environments.models import Environment, Resource

DEFINITION = "aws_ecs_task_definition"


def deployed_with(environment: Environment, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Name and page of the services that run a revision of these task definitions' families; in their order."""
    families = {
        str(row.attributes.get("family") or "")
        for row in Resource.objects.filter(
            environment=environment, type=DEFINITION, address__in=list(addresses)
        )
    } - {""}
    if not families:
        return []
    running = {
        row.address: str(row.attributes.get("task_definition") or "")
        for row in Resource.objects.filter(environment=environment, type=TYPE)
    }
    services = services_of(environment)
    return [
        (service.name, service_url(environment, service, services))
        for service in services
        if {family_of(service.declaration.task_definition), family_of(running.get(service.address, ""))}
        & families
    ]
