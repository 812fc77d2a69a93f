"""What is asked of one service, and the rows of a request checked against the inventory and the blueprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from environments.deployments.asked import settings_asked
from environments.deployments.models import Act, DeploymentPart
from environments.deployments.services import Service, services_of
from environments.models import Environment

Errors = dict[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """What is asked of one service, named by ARN, name, address or the blueprint's short name.

    `image` is a tag, a digest or a whole reference; `environment` sets variables, `unset` takes some away;
    `cpu` (units) and `memory` (MiB) are the task's; desired, minimum and maximum are for scaling.
    """

    service: str
    image: str = ""
    container: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    cpu: int | None = None
    memory: int | None = None
    desired: int | None = None
    minimum: int | None = None
    maximum: int | None = None

    @property
    def has_settings(self) -> bool:
        return bool(self.environment or self.unset or self.cpu is not None or self.memory is not None)

    @property
    def has_counts(self) -> bool:
        return any(value is not None for value in (self.desired, self.minimum, self.maximum))

    def wanted(self) -> dict[str, Any]:
        """What of it was said, as a part keeps it."""
        said: dict[str, Any] = {
            "image": self.image,
            "environment": dict(self.environment),
            "unset": sorted(self.unset),
            "cpu": self.cpu,
            "memory": self.memory,
            "desired": self.desired,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }
        return {name: value for name, value in said.items() if value not in (None, "", {}, [])}


@dataclass(frozen=True)
class Row:
    """One service of a request, as a part will be written."""

    service: Service
    container: str
    wanted: Mapping[str, Any]


def found(environment: Environment, named: Sequence[str], errors: Errors) -> list[Service | None]:
    """The services of these names, None where there is none; unknown, ambiguous and repeated ones go to `errors`."""
    here = services_of(environment)
    if not named:
        errors["services"] = [_("Choose at least one service.")]
    services: list[Service | None] = []
    for index, name in enumerate(named):
        fitting = [one for one in here if name and name in _names(one)]
        service = fitting[0] if len(fitting) == 1 else None
        if service is None:
            errors[f"services.{index}.service"] = [_unknown(environment, name, here, len(fitting))]
        elif service in services:
            errors[f"services.{index}.service"] = [
                _("%(service)s is named twice; say all that you want of it once.") % {"service": service.name}
            ]
        services.append(service)
    return services


def _names(service: Service) -> tuple[str, ...]:
    return (service.arn, service.name, service.address, service.declaration.key)


def _unknown(environment: Environment, name: str, here: Sequence[Service], fitting: int) -> str:
    if not here:
        return _(
            "The inventory of %(environment)s holds no ECS service; apply a definition with one first."
        ) % {"environment": environment}
    if fitting > 1:
        return _("Several services are called “%(name)s”; give the ARN of the one you mean.") % {"name": name}
    return _("There is no service “%(name)s” in %(environment)s; there are: %(names)s.") % {
        "name": name,
        "environment": environment,
        "names": ", ".join(one.name for one in here),
    }


def rows(environment: Environment, asked: Sequence[Asked], act: str, errors: Errors) -> list[Row]:
    """The rows of the request in the order they are deployed in; what is wrong goes to `errors`, field by field."""
    services = found(environment, [one.service for one in asked], errors)
    made: list[Row] = []
    for index, (one, service) in enumerate(zip(asked, services, strict=True)):
        if service is None:
            continue
        wrong = settings_asked.problems(one, service, act, environment)
        errors.update({f"services.{index}.{name}": texts for name, texts in wrong.items()})
        container = one.container or service.declaration.container
        made.append(Row(service, container, one.wanted()))
    return sorted(made, key=lambda row: (row.service.declaration.order, row.service.name))


def act_of(act: str, asked: Sequence[Asked]) -> str:
    """A deployment without any image is a change of settings."""
    return Act.CONFIGURE if act == Act.DEPLOY and not any(one.image for one in asked) else act


def promoted(
    environment: Environment, source: Environment, named: Sequence[str], errors: Errors
) -> list[Row]:
    """Rows that bring here what the source's services of the same short or full name run."""
    if source.tenant_id != environment.tenant_id or source.pk == environment.pk:
        errors["source"] = [_("Choose another environment of the same tenant to take the images from.")]
        return []
    if source.account is None:
        errors["source"] = [_("%(source)s has no AWS account, so nothing runs there.") % {"source": source}]
        return []
    there = services_of(source)
    pairs = [(one, counterpart(one, there)) for one in services_of(environment)]
    wanted = list(named) or [one.arn for one, other in pairs if other is not None]
    if not wanted:
        errors["services"] = [
            _(
                "%(source)s and %(here)s have no service in common; the short names in their output match them."
            )
            % {"source": source, "here": environment}
        ]
        return []
    other_of = {one.arn: other for one, other in pairs}
    made: list[Row] = []
    for index, service in enumerate(found(environment, wanted, errors)):
        other = other_of.get(service.arn) if service else None
        if service is not None and other is not None:
            came_from = {"service_arn": other.arn, "cluster_arn": other.cluster_arn, "service": other.name}
            came_from["container"] = other.declaration.container
            made.append(Row(service, service.declaration.container, {"source": came_from}))
        elif service is not None:
            errors[f"services.{index}.service"] = [
                _("%(source)s has no service called “%(key)s” or “%(name)s” to take the image from.")
                % {"source": source, "key": service.declaration.key, "name": service.name}
            ]
    return sorted(made, key=lambda row: (row.service.declaration.order, row.service.name))


def counterpart(service: Service, there: Sequence[Service]) -> Service | None:
    """The one of these services with the same short name, else with the same name."""
    by_key = [one for one in there if one.declaration.key == service.declaration.key]
    by_name = [one for one in there if one.name == service.name]
    fitting = by_key or by_name
    return fitting[0] if len(fitting) == 1 else None


def rolled_back(
    environment: Environment, named: Sequence[str], good: Mapping[str, DeploymentPart], errors: Errors
) -> list[Row]:
    """Rows that bring back what these parts of an earlier deployment proved to run (service ARN -> part)."""
    made: list[Row] = []
    for index, service in enumerate(found(environment, named, errors)):
        part = good.get(service.arn) if service else None
        if service is not None and part is not None:
            wanted = {"revision": part.registered_arn, "image": part.digest, "tag": part.tag}
            made.append(Row(service, part.container, wanted))
        elif service is not None:
            errors[f"services.{index}.service"] = [
                _("That deployment did not prove an image of %(service)s.") % {"service": service.name}
            ]
    return sorted(made, key=lambda row: (row.service.declaration.order, row.service.name))


def told(row: Row) -> dict[str, Any]:
    """What the audit log says of a row: variables by name, never by value."""
    wanted = row.wanted
    said = {name: wanted[name] for name in wanted if name not in ("environment", "source")}
    if "environment" in wanted:
        said["variables"] = sorted(wanted["environment"])
    if "source" in wanted:
        said["source"] = wanted["source"]["service_arn"]
    return {"service": row.service.name, **said}
