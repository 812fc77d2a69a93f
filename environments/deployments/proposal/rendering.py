"""The task definition that a deployment registers: from Terraform's newest revision and from what the service runs.

Never from the family's latest: whoever registered that may have had nothing to do with this service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.deployments.asked import sizes
from environments.deployments.asked.images import container_of
from environments.deployments.declarations import Declaration
from environments.deployments.proposal.ownership import SIZES
from portal.aws.task_definitions import registrable

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What a request changes: `image` is a whole reference, "" when the image stays."""

    image: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    cpu: int | None = None
    memory: int | None = None


def render(
    kept: Definition, terraform: Definition | None, declaration: Declaration, container: str, wanted: Wanted
) -> dict[str, Any]:
    """What RegisterTaskDefinition gets. Fields of deployments come from `kept`, all others from `terraform`.

    `kept` is the revision that runs, or the one that is gone back to; without `terraform` everything comes from it.
    Raises ToolFailure when that cannot be a task definition.
    """
    made: dict[str, Any] = deepcopy(registrable(terraform or kept))
    own = _container(container, made)
    if terraform is not None:
        _keep(made, own, kept, container_of(container, kept) or {}, declaration)
    if wanted.image:
        own["image"] = wanted.image
    _set_variables(own, declaration, wanted)
    _set_size(made, own, declaration, wanted)
    return made


def _container(name: str, made: Definition) -> dict[str, Any]:
    own = container_of(name, made)
    if own is None:
        raise ToolFailure(
            _("The task definition has no container “%(name)s”.") % {"name": name},
            _("Correct `container` in the blueprint's output “deployments”, or name another one."),
        )
    return own


def _keep(
    made: dict[str, Any], own: dict[str, Any], kept: Definition, before: Definition, declaration: Declaration
) -> None:
    """Put what deployments own back as it is in `kept`, what they took away included."""
    if before.get("image"):
        own["image"] = before["image"]
    for name in SIZES:
        if before and declaration.owns(name):
            _copy(name, before, own)
            _copy(name, kept, made)
    if before:
        _keep_variables(own, before, declaration)


def _copy(name: str, source: Definition, target: dict[str, Any]) -> None:
    if source.get(name) is None:
        target.pop(name, None)
    else:
        target[name] = source[name]


def _keep_variables(own: dict[str, Any], before: Definition, declaration: Declaration) -> None:
    terraform, runs, secrets = variables(own), variables(before), secret_names(own)
    # What Terraform has made a secret since is no variable any more.
    owned = {name for name in terraform | runs if declaration.owns(f"environment.{name}")} - secrets
    values = {name: value for name, value in terraform.items() if name not in owned or name in runs}
    _write(own, values | {name: value for name, value in runs.items() if name in owned})


def variables(container: Definition) -> dict[str, str]:
    """The container's environment, name -> value, in its order."""
    return {str(one["name"]): str(one.get("value", "")) for one in container.get("environment") or []}


def secret_names(container: Definition) -> set[str]:
    return {str(one["name"]) for one in container.get("secrets") or []}


def _write(own: dict[str, Any], values: Mapping[str, str]) -> None:
    if values or "environment" in own:
        own["environment"] = [{"name": name, "value": value} for name, value in values.items()]


def _set_variables(own: dict[str, Any], declaration: Declaration, wanted: Wanted) -> None:
    if not wanted.environment and not wanted.unset:
        return
    secrets = secret_names(own)
    for name in [*wanted.environment, *wanted.unset]:
        if name in secrets:
            raise ToolFailure(
                _("%(name)s is a reference to a secret, which the blueprint keeps.") % {"name": name},
                _("Change the secret's value where it is stored, or the reference in the blueprint."),
            )
        if not declaration.owns(f"environment.{name}"):
            raise ToolFailure(
                _("The blueprint keeps the variable %(name)s for Terraform by now.") % {"name": name},
                _("Change it in the definition and apply that."),
            )
    values = variables(own) | {name: wanted.environment[name] for name in sorted(wanted.environment)}
    _write(own, {name: value for name, value in values.items() if name not in wanted.unset})


def _set_size(made: dict[str, Any], own: dict[str, Any], declaration: Declaration, wanted: Wanted) -> None:
    """Give the task this size; of what it gains or loses, the container gets all: others keep what they have."""
    if wanted.cpu is None and wanted.memory is None:
        return
    for name in SIZES:
        value = getattr(wanted, name)
        if value is None:
            continue
        if not declaration.owns(name):
            raise ToolFailure(
                _("The blueprint keeps %(name)s for Terraform by now.") % {"name": name},
                _("Change it in the definition and apply that."),
            )
        before = made.get(name)
        if before is None:
            own[name] = value
            continue
        made[name] = str(value)
        if own.get(name):
            own[name] = _share(name, int(own[name]) + value - int(before))
    _refuse_unknown_size(made, own)


def _share(name: str, value: int) -> int:
    if value < 1:
        raise ToolFailure(
            _("The other containers of the task leave nothing of so little %(name)s.") % {"name": name},
            _("Ask for more, or give the other containers less in the blueprint."),
        )
    return value


def _refuse_unknown_size(made: Definition, own: Definition) -> None:
    if "FARGATE" in (made.get("requiresCompatibilities") or []):
        wrong = sizes.problem(int(made["cpu"]), int(made["memory"]))
        if wrong:
            raise ToolFailure(wrong, _("Ask for CPU and memory that go together."))
    reserved, limit = own.get("memoryReservation"), own.get("memory")
    if reserved and limit and int(reserved) > int(limit):
        raise ToolFailure(
            _("The container reserves %(reserved)s MiB, more than the %(limit)s it may use.")
            % {"reserved": reserved, "limit": limit},
            _("Ask for more memory, or let the blueprint reserve less."),
        )
