"""Are the log groups there that the containers write to?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok


@dataclass(frozen=True)
class Group:
    """A log group that a container writes to; `made` where the log driver may create it."""

    name: str
    region: str
    made: bool


def groups(target: Target) -> list[Group]:
    """The CloudWatch log groups of the task definition's containers."""
    found: dict[str, Group] = {}
    for container in target.containers:
        settings = container.get("logConfiguration") or {}
        options = settings.get("options") or {}
        name = options.get("awslogs-group")
        if settings.get("logDriver") == "awslogs" and name:
            made = str(options.get("awslogs-create-group") or "").lower() == "true"
            found[name] = Group(str(name), str(options.get("awslogs-region") or ""), made)
    return list(found.values())


def findings(target: Target, look: Look) -> Iterator[Finding]:
    wanted = groups(target)
    missing = [one.name for one in wanted if not one.made and not look.log_group(one.name, one.region)]
    if missing:
        yield failing(
            "logs",
            _("Tasks cannot start: there is no log group %(names)s.") % {"names": ", ".join(missing)},
            _("Run Terraform, which makes it, or correct its name in the task definition."),
        )
    elif wanted:
        yield ok("logs", _("The log groups are there."))
