"""The services of an environment: from the inventory, with what the blueprint declares of each."""

from __future__ import annotations

from dataclasses import dataclass

from environments.accounts import access_to
from environments.deployments import declarations
from environments.deployments.declarations import Declaration
from environments.models import Environment, Resource
from environments.registry import registry
from portal.aws.sessions import AccountAccess

TYPE = "aws_ecs_service"


@dataclass(frozen=True)
class Service:
    """One ECS service of an environment; `address` is its resource's in the inventory."""

    address: str
    arn: str
    name: str
    cluster_arn: str
    declaration: Declaration


def services_of(environment: Environment) -> list[Service]:
    """The environment's ECS services, in the order they are deployed in."""
    declared = declarations.read(registry.outputs(environment).get(declarations.OUTPUT))
    rows = Resource.objects.filter(environment=environment, type=TYPE).order_by("address")
    found = [service for row in rows if (service := _service(row, declared)) is not None]
    return sorted(found, key=lambda service: (service.declaration.order, service.name))


def service_of(environment: Environment, named: str) -> Service | None:
    """The service with this ARN, name, address or declared key; None when there is none, or more than one."""
    found = [
        service
        for service in services_of(environment)
        if named in (service.arn, service.name, service.address, service.declaration.key)
    ]
    return found[0] if len(found) == 1 else None


def access_of(environment: Environment) -> AccountAccess | None:
    """How the environment's account is reached in its region; None when it has no account."""
    return access_to(environment.account, environment.region) if environment.account else None


def _service(row: Resource, declared: dict[str, Declaration]) -> Service | None:
    # The provider's id of a service is its ARN.
    arn = row.arn or row.provider_id
    cluster = str(row.attributes.get("cluster") or "")
    name = str(row.attributes.get("name") or arn.rpartition("/")[2])
    if not arn.startswith("arn:"):
        return None
    declaration = declared.get(arn) or Declaration(key=name, service_arn=arn)
    return Service(row.address, arn, name, cluster, declaration)
