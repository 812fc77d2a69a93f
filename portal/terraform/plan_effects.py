"""Effects that no resource shows by itself, only the plan as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from portal.terraform.effects import EFFECTS

if TYPE_CHECKING:
    from portal.terraform.plan import ResourceChange

DEFINITION, SERVICE = "aws_ecs_task_definition", "aws_ecs_service"
WAITS = "waits_for_deployment"


def across(changes: tuple[ResourceChange, ...]) -> tuple[ResourceChange, ...]:
    """The changes, those of task definitions that no service of this plan takes marked: they wait for a deployment.

    A service takes one when the plan changes its `task_definition`; it does not when it leaves that to deployments
    (`ignore_changes`). A service made anew starts with whatever Terraform describes.
    """
    services = [one for one in changes if one.type == SERVICE and one.mode == "managed"]
    taken = {_family(one) for one in services if one.action == "update" and _follows(one)}
    anew = {_family(one) for one in services if one.action == "replace"}
    unknown = any(one.action == "create" for one in services)
    return tuple(
        replace(one, effects=_with(one.effects))
        if one.type == DEFINITION
        and one.action == "replace"
        and not unknown
        and str((one.before or {}).get("family", "")) not in taken | anew
        else one
        for one in changes
    )


def _follows(service: ResourceChange) -> bool:
    return any(change.steps[:1] == ("task_definition",) for change in service.attributes)


def _family(service: ResourceChange) -> str:
    """Of "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION", "FAMILY:REVISION" or "FAMILY"."""
    return str((service.before or {}).get("task_definition", "")).rpartition("/")[2].partition(":")[0]


def _with(effects: Iterable[str]) -> tuple[str, ...]:
    found = {*effects, WAITS}
    return tuple(code for code in EFFECTS if code in found)
