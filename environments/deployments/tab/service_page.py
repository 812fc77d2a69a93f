"""What the page of one service shows beside its history: how it is, its tasks, who owns what."""

from __future__ import annotations

from typing import Any

from environments.deployments.models import ServiceCheck
from environments.deployments.services import Service, access_of, services_of
from environments.deployments.shown import ownership
from environments.deployments.shown.links import optional
from environments.deployments.shown.tasks import task_rows
from environments.deployments.tab import page
from environments.models import Environment
from environments.permissions import refusal

TASKS_SHOWN = 50


def context(environment: Environment, service: Service, roles: frozenset[str]) -> dict[str, Any]:
    """Everything but the history and its figures."""
    check = ServiceCheck.objects.filter(environment=environment).first()
    among = services_of(environment)
    line = next(one for one in page.lines(environment, among, check) if one.service.arn == service.arn)
    status = environment.service_statuses.filter(service_arn=service.arn).first()
    tasks = status.tasks if status else []
    last = ownership.last_good(environment, [service.arn]).get(service.arn)
    rows = ownership.rows(service, status, last, ownership.definitions(environment))
    back = optional("deployments:rollback", environment.tenant.slug, environment.slug)
    denied = refusal(roles, "change.request")
    return {
        "line": line,
        "rollback_url": "" if denied else back,
        "service": service,
        "interval": page.interval_of(check),
        "has_account": access_of(environment) is not None,
        "look_denied": refusal(roles, "service.look"),
        "request_denied": denied,
        "tasks": task_rows(tasks[:TASKS_SHOWN]),
        "tasks_more": max(len(tasks) - TASKS_SHOWN, 0),
        "ownership": [{"service": service.name, "rows": rows, "problems": service.declaration.problems}],
        "deployments": status.deployments if status else [],
    }
