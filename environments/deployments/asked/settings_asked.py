"""Whether what is asked of one service may be asked of it: fields, names, sizes, and who owns each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from environments.deployments.asked import images, sizes
from environments.deployments.models import Act
from environments.deployments.services import Service
from environments.models import Environment, Resource

if TYPE_CHECKING:
    from environments.deployments.asked.asking import Asked

Errors = dict[str, list[str]]
VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}\Z")
MAX_VALUE: Final = 32 * 1024
# Tasks of one service: an ECS quota.
MAX_TASKS: Final = 5000
COUNTS: Final = ("desired", "minimum", "maximum")


def problems(asked: Asked, service: Service, act: str, environment: Environment) -> Errors:
    """What is wrong with it, by field."""
    if act == Act.SCALE:
        return _counts(asked)
    if act == Act.RESTART:
        return _nothing_else(asked)
    errors: Errors = {}
    if asked.has_counts:
        errors["desired"] = [_("A deployment leaves the number of tasks alone; ask for scaling instead.")]
    if not asked.image and not asked.has_settings:
        errors["image"] = [
            _("Name an image of %(service)s (a tag or a digest), or a setting to change.")
            % {"service": service.name}
        ]
    elif asked.image and images.parse(asked.image) is None:
        errors["image"] = [_("“%(image)s” is no tag, digest or image reference.") % {"image": asked.image}]
    if act == Act.CONFIGURE and asked.image:
        errors["image"] = [_("To change settings only, name no image; to bring an image, ask to deploy.")]
    declared = service.declaration.container
    if asked.container and declared and asked.container != declared:
        errors["container"] = [
            _("Deployments of %(service)s are for its container “%(declared)s”; others are Terraform's.")
            % {"service": service.name, "declared": declared}
        ]
    return errors | _variables(asked, service) | _size(asked, service, environment)


def _nothing_else(asked: Asked) -> Errors:
    if asked.image or asked.has_settings or asked.has_counts:
        return {"service": [_("A restart changes nothing else; ask for a deployment or for scaling.")]}
    return {}


def _counts(asked: Asked) -> Errors:
    errors: Errors = {}
    if asked.image or asked.has_settings:
        errors["service"] = [_("Scaling changes the number of tasks only; ask for a deployment besides.")]
    if not asked.has_counts:
        errors["desired"] = [_("Say how many tasks you want: desired, minimum or maximum.")]
    given = {name: getattr(asked, name) for name in COUNTS if getattr(asked, name) is not None}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TASKS:
            errors[name] = [_("Use a whole number from 0 to %(most)s.") % {"most": MAX_TASKS}]
    if errors:
        return errors
    least, most, desired = given.get("minimum"), given.get("maximum"), given.get("desired")
    if least is not None and most is not None and least > most:
        errors["minimum"] = [_("The minimum is above the maximum.")]
    if desired is not None and least is not None and desired < least:
        errors["desired"] = [_("Fewer tasks than the minimum would be started again at once.")]
    if desired is not None and most is not None and desired > most:
        errors["desired"] = [_("More tasks than the maximum would be stopped again at once.")]
    return errors


def _variables(asked: Asked, service: Service) -> Errors:
    errors: Errors = {}
    for name, value in asked.environment.items():
        if not isinstance(name, str) or not VARIABLE.match(name):
            errors[f"environment.{name}"] = [
                _("A variable's name has letters, digits, “_”, “.” and “-” only.")
            ]
        elif not isinstance(value, str) or len(value) > MAX_VALUE:
            errors[f"environment.{name}"] = [_("The value has to be a text of at most 32 KiB.")]
        elif name in asked.unset:
            errors[f"environment.{name}"] = [
                _("It is set and taken away at once; say which of the two you want.")
            ]
    for name in [*asked.environment, *asked.unset]:
        if f"environment.{name}" not in errors and not service.declaration.owns(f"environment.{name}"):
            errors[f"environment.{name}"] = [_kept(service, f"environment.{name}")]
    return errors


def _size(asked: Asked, service: Service, environment: Environment) -> Errors:
    errors: Errors = {}
    for name in ("cpu", "memory"):
        value = getattr(asked, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            errors[name] = [_("Use a whole number: CPU units (1024 are one vCPU), MiB of memory.")]
        elif not service.declaration.owns(name):
            errors[name] = [_kept(service, name)]
    if not errors and _on_fargate(service, environment):
        wrong = sizes.problem(asked.cpu, asked.memory)
        if wrong:
            errors["cpu" if asked.cpu is not None and asked.cpu not in sizes.FARGATE else "memory"] = [wrong]
    return errors


def _on_fargate(service: Service, environment: Environment) -> bool:
    row = Resource.objects.filter(environment=environment, address=service.address).first()
    return row is None or row.attributes.get("launch_type") not in ("EC2", "EXTERNAL")


def _kept(service: Service, path: str) -> str:
    return _(
        "The blueprint keeps %(path)s of %(service)s for Terraform: change it in the definition and apply that, or "
        "add it to deployment_owns in the blueprint's output “deployments”."
    ) % {"path": path, "service": service.name}
