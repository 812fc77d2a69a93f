"""Services and images as the API tells of them."""

from __future__ import annotations

from typing import Any

from environments.deployments.asked.offered import Offered
from environments.deployments.models import ServiceStatus
from environments.deployments.services import Service, services_of
from environments.models import Environment

FIGURES = ("status", "desired", "running", "pending", "minimum", "maximum", "images", "out_of_band")


def services(environment: Environment) -> list[dict[str, Any]]:
    """The environment's services in the order they are deployed in, with the last look at each."""
    looks = {row.service_arn: row for row in ServiceStatus.objects.filter(environment=environment)}
    return [_service(one, looks.get(one.arn)) for one in services_of(environment)]


def _service(service: Service, look: ServiceStatus | None) -> dict[str, Any]:
    declared = service.declaration
    return {
        "service": service.name,
        "key": declared.key,
        "arn": service.arn,
        "cluster_arn": service.cluster_arn,
        "address": service.address,
        "container": declared.container,
        "repository": declared.repository,
        "strategies": list(declared.strategies),
        "deployment_owns": sorted(declared.deployment_owns),
        "bake_seconds": declared.bake_seconds,
        "alarms": list(declared.alarms),
        "problems": list(declared.problems),
        "last_look": _look(look) if look else None,
    }


def _look(look: ServiceStatus) -> dict[str, Any]:
    return {name: getattr(look, name) for name in FIGURES} | {
        "task_definition": look.task_definition_arn,
        "taken_at": look.taken_at,
        "error": look.error,
        "error_at": look.error_at,
    }


def image(row: Offered) -> dict[str, Any]:
    return {
        "reference": row.image.reference,
        "digest": row.image.digest,
        "tags": list(row.image.tags),
        "pushed_at": row.image.pushed_at,
        "size": row.image.size,
        "scan": row.image.scan,
        "scan_unknown": row.image.unread.get("scan", ""),
        "running": row.running,
        "proven": row.proven,
    }
