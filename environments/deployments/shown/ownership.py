"""Who owns which field of a service's task definition, what it is now and where that comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Max
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.deployments.models import Act, DeploymentPart, ServiceStatus
from environments.deployments.services import Service, services_of
from environments.deployments.shown.links import service_url
from environments.deployments.shown.revisions import image_name, revision
from environments.models import Environment, Resource

DEFINITION: Final = "aws_ecs_task_definition"
DEPLOYMENT, TERRAFORM = "deployment", "terraform"
SIZES: Final = ("cpu", "memory")


def owner_word(owner: str) -> str:
    return _("Deployments") if owner == DEPLOYMENT else _("Terraform")


def of_environment(environment: Environment) -> Sequence[Mapping[str, Any]]:
    """Every service's split, for the registry; a fixed number of queries."""
    services = services_of(environment)
    if not services:
        return []
    arns = [service.arn for service in services]
    statuses = {
        row.service_arn: row for row in ServiceStatus.objects.filter(environment=environment).defer("tasks")
    }
    last = last_good(environment, arns)
    in_state = definitions(environment)
    return [
        {
            "service": service.name,
            "link": service_url(environment, service, services),
            "problems": service.declaration.problems,
            "rows": rows(service, statuses.get(service.arn), last.get(service.arn), in_state),
        }
        for service in services
    ]


def last_good(environment: Environment, arns: Sequence[str]) -> dict[str, DeploymentPart]:
    """The newest deployment that came out as approved, by service ARN; one that put something in force."""
    parts = DeploymentPart.objects.filter(
        service_arn__in=arns,
        deployment__change__environment=environment,
        # One whose alarms are still watched is in force, too.
        deployment__change__status__in=[Status.SUCCEEDED, Status.VERIFYING],
        deployment__act__in=[Act.DEPLOY, Act.CONFIGURE, Act.ROLLBACK],
    )
    newest = parts.order_by().values("service_arn").annotate(newest=Max("pk")).values("newest")
    rows = DeploymentPart.objects.filter(pk__in=newest).select_related("deployment__change")
    return {part.service_arn: part for part in rows.defer("progress", "wanted")}


def rows(
    service: Service,
    status: ServiceStatus | None,
    last: DeploymentPart | None,
    definitions: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, str]]:
    """field, owner, value, source; values of environment variables are never shown."""
    declared = service.declaration
    terraform = definitions.get(declared.task_definition, {})
    deployed = _deployed(last)
    from_terraform = (
        _("Terraform's newest revision, %(revision)s") % {"revision": revision(declared.task_definition)}
        if declared.task_definition
        else _("the revision that Terraform made")
    )
    found = [_row(_("image"), DEPLOYMENT, _image(service, status), deployed or from_terraform)]
    for name in SIZES:
        owner = DEPLOYMENT if declared.owns(name) else TERRAFORM
        value = _size(terraform, declared.container, name)
        source = deployed if owner == DEPLOYMENT and deployed else from_terraform
        # A deployment may have set another than Terraform's: what it set stands on its own page.
        shown = value if owner == TERRAFORM or not deployed else ""
        found.append(_row(name, owner, shown, source))
    owned = sorted(
        path.partition(".")[2] for path in declared.deployment_owns if path.startswith("environment.")
    )
    for name in owned:
        label = _("every environment variable") if name == "*" else _("variable %(name)s") % {"name": name}
        found.append(_row(label, DEPLOYMENT, _("not shown"), deployed or from_terraform))
    rest = _("everything else: other variables, secrets, roles, ports, health check, logging")
    if "environment.*" in declared.deployment_owns:
        rest = _("everything else: secrets, roles, ports, health check, logging")
    found.append(_row(rest, TERRAFORM, "", from_terraform))
    return found


def _row(field: str, owner: str, value: str, source: str) -> dict[str, str]:
    return {
        "field": field,
        "owner": owner,
        "owner_word": owner_word(owner),
        "value": value,
        "source": source,
    }


def _deployed(last: DeploymentPart | None) -> str:
    if last is None:
        return ""
    change = last.deployment.change
    return _("“%(title)s” by %(who)s") % {"title": change.title, "who": change.requested_by_name}


def _image(service: Service, status: ServiceStatus | None) -> str:
    if status is None:
        return ""
    images: dict[str, dict[str, str]] = status.images
    image = images.get(service.declaration.container) or next(iter(images.values()), {})
    return image_name(image.get("tag", ""), image.get("digest", ""))


def definitions(environment: Environment) -> dict[str, Mapping[str, Any]]:
    found = Resource.objects.filter(environment=environment, type=DEFINITION)
    return {row.arn or row.provider_id: row.attributes for row in found}


def _size(definition: Mapping[str, Any], container: str, name: str) -> str:
    """The container's own figure, else the task's; empty when the state does not tell."""
    text = definition.get("container_definitions")
    try:
        containers = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        containers = []
    for one in containers if isinstance(containers, list) else []:
        if isinstance(one, Mapping) and one.get("name") == container and one.get(name):
            return str(one[name])
    return str(definition.get(name) or "")
