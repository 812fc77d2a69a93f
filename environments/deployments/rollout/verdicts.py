"""How a rollout stands, from what ECS says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.utils.translation import gettext as _

from environments.deployments.models import Act, DeploymentPart
from environments.deployments.rollout.recognising import ours, primary, wanted_definition

State = Literal["moving", "completed", "failed", "rolled_back", "stopped"]
Row = Mapping[str, Any]
# Where ECS's own breaker is off (it is made for rolling deployments), so many failed tasks are enough.
FAILED_ENOUGH: Final = 3


@dataclass(frozen=True)
class Seen:
    """How it stands. `moving`: not over; `stopped`: somebody else deployed something in its place."""

    state: State
    reason: str = ""


def of_record(part: DeploymentPart, record: Row, service: Row) -> Seen:
    """By ECS's record of this very deployment; `service` is needed where the record says STOPPED."""
    status = str(record.get("status") or "")
    reason = str(record.get("statusReason") or "")
    if status == "SUCCESSFUL":
        return Seen("completed", reason)
    if status == "ROLLBACK_SUCCESSFUL":
        return Seen("rolled_back", _why(record) or reason)
    if status == "ROLLBACK_FAILED":
        return Seen("failed", _("ECS could not roll it back: %(why)s") % {"why": reason or _why(record)})
    if status == "STOPPED":
        triggered = [
            name for name in ("deploymentCircuitBreaker", "alarms") if _status(record, name) == "TRIGGERED"
        ]
        mine = not service or primary(service).get("id") in (None, part.ecs_deployment_id)
        return Seen("failed" if triggered or mine else "stopped", reason)
    return Seen("moving", _waits(record) or reason)


def of_service(part: DeploymentPart, service: Row) -> Seen:
    """By the service's own list of deployments, where the region keeps no records."""
    if service.get("status") not in (None, "ACTIVE"):
        return Seen("failed", _("The service is no more."))
    mine, newest = ours(part, service), primary(service)
    if not mine:
        return _without_ours(part, service, newest)
    state, reason = mine.get("rolloutState"), str(mine.get("rolloutStateReason") or "")
    if mine.get("id") == newest.get("id"):
        if state == "FAILED":
            return Seen("failed", reason)
        if state is None:
            state = "COMPLETED" if _settled(mine) and not service["deployments"][1:] else "IN_PROGRESS"
        return Seen("completed" if state == "COMPLETED" else "moving", reason)
    if newest.get("taskDefinition") == part.previous_arn and state == "FAILED":
        back = newest.get("rolloutState") in (None, "COMPLETED")
        return Seen("rolled_back" if back else "moving", reason)
    return Seen("stopped", reason)


def of_scaling(service: Row) -> Seen:
    """Whether as many tasks run as the service is set to."""
    if service.get("status") not in (None, "ACTIVE"):
        return Seen("failed", _("The service is no more."))
    done = service.get("runningCount") == service.get("desiredCount") and not service.get("pendingCount")
    return Seen("completed" if done else "moving")


def hopeless(part: DeploymentPart, progress: Row) -> str:
    """Why it is not waited for any longer though ECS goes on, where its breaker is off; "" while there is hope."""
    new, breaker = progress.get("new") or {}, progress.get("breaker") or {}
    if part.deployment.act == Act.SCALE or breaker.get("enabled"):
        return ""
    failed, desired = int(new.get("failed") or 0), int(new.get("desired") or 0)
    enough = max(FAILED_ENOUGH, desired // 2)
    if failed < enough or int(new.get("running") or 0) >= desired > 0:
        return ""
    return _("%(failed)s new tasks failed, and ECS's circuit breaker does not watch this deployment.") % {
        "failed": failed
    }


def _without_ours(part: DeploymentPart, service: Row, newest: Row) -> Seen:
    if service.get("taskDefinition") != wanted_definition(part):
        if newest.get("id") == part.previous_deployment_id:
            return Seen("moving")
        return Seen("stopped")
    # It ran already what it was told to run: ECS makes no deployment of that.
    unchanged = newest.get("id") == part.previous_deployment_id
    done = unchanged and newest.get("rolloutState") in (None, "COMPLETED")
    return Seen("completed" if done else "moving")


def _settled(row: Row) -> bool:
    return row.get("runningCount") == row.get("desiredCount") and not row.get("pendingCount")


def _status(record: Row, name: str) -> str:
    return str((record.get(name) or {}).get("status") or "")


def _why(record: Row) -> str:
    return str((record.get("rollback") or {}).get("reason") or "")


def _waits(record: Row) -> str:
    """Where the deployment waits for somebody at one of its hooks, in words."""
    for hook in record.get("lifecycleHookDetails") or []:
        if hook.get("status") == "AWAITING_ACTION":
            return _("ECS waits at a pause hook of the service (%(stage)s).") % {
                "stage": record.get("lifecycleStage") or hook.get("hookId")
            }
    return ""
