"""What AWS answered about a rollout, as the progress that pages show. Nothing here asks AWS or writes a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from environments.deployments.models import DeploymentPart
from environments.deployments.rollout.recognising import ours, primary

Row = Mapping[str, Any]
MOST_TASKS: Final = 200
# What the looks keep for themselves beside what they show.
BOOKKEEPING: Final = frozenset({"watch", "passed_over", "one_off_marks", "said", "troubled_since"})


def told(progress: Row) -> dict[str, Any]:
    """The progress without the looks' own bookkeeping."""
    return {name: value for name, value in progress.items() if name not in BOOKKEEPING}


def counts(part: DeploymentPart, service: Row, record: Row) -> dict[str, Any]:
    """How many tasks of the new and of the old shall run, do run and are starting."""
    new = record.get("targetServiceRevision")
    rows = service.get("deployments", [])
    mine = ours(part, service) or (primary(service) if not rows[1:] else {})
    if new:
        sources = record.get("sourceServiceRevisions") or []
        failed = int((record.get("deploymentCircuitBreaker") or {}).get("failureCount") or 0)
        return {
            "new": {**_of_revisions([new]), "failed": max(failed, int(mine.get("failedTasks") or 0))},
            "old": _of_revisions([row for row in sources if row.get("arn") != new.get("arn")]),
        }
    others = [row for row in rows if row.get("id") != mine.get("id")]
    return {
        "new": {**_of_deployments([mine]), "failed": int(mine.get("failedTasks") or 0)},
        "old": _of_deployments(others),
    }


def rollout(part: DeploymentPart, service: Row, record: Row) -> dict[str, Any]:
    """ECS's word for the deployment, its reason and stage, breaker, alarms and traffic."""
    mine = ours(part, service)
    breaker = record.get("deploymentCircuitBreaker") or {}
    configured = (record or service).get("deploymentConfiguration") or {}
    weight = (record.get("targetServiceRevision") or {}).get("requestedProductionTrafficWeight")
    return {
        "rollout": str(record.get("status") or mine.get("rolloutState") or ""),
        "reason": str(record.get("statusReason") or mine.get("rolloutStateReason") or ""),
        "stage": str(record.get("lifecycleStage") or ""),
        "breaker": {
            "enabled": bool((configured.get("deploymentCircuitBreaker") or {}).get("enable")),
            "failures": breaker.get("failureCount"),
            "threshold": breaker.get("threshold"),
            "status": str(breaker.get("status") or ""),
        },
        "alarms": _alarms(record.get("alarms") or {}),
        "traffic": {"new_percent": weight} if weight is not None else {},
    }


def tasks(part: DeploymentPart, found: Sequence[Row]) -> dict[str, Any]:
    """Each task's state and health, new ones first."""
    rows = [_task(part, task) for task in found]
    rows.sort(key=lambda row: (not row["new"], row["id"]))
    return {"tasks": rows[:MOST_TASKS], "tasks_total": len(rows)}


def targets(
    part: DeploymentPart, groups: Mapping[str, Sequence[Row]], found: Sequence[Row]
) -> dict[str, Any]:
    """Each target's health, and whether it is a new task's."""
    fresh = {address for task in found if _is_new(part, task) for address in _addresses(task)}
    rows = [
        {
            "group": group.rpartition(":")[2],
            "id": str(row["Target"]["Id"]),
            "port": row["Target"].get("Port"),
            "state": str(row.get("TargetHealth", {}).get("State") or ""),
            "reason": str(row.get("TargetHealth", {}).get("Reason") or ""),
            "description": str(row.get("TargetHealth", {}).get("Description") or ""),
            "new": row["Target"]["Id"] in fresh,
        }
        for group, members in groups.items()
        for row in members
    ]
    rows.sort(key=lambda row: (not row["new"], row["group"], row["id"]))
    return {"targets": rows[:MOST_TASKS], "target_counts": dict(Counter(row["state"] for row in rows))}


def _of_revisions(rows: Sequence[Row]) -> dict[str, int]:
    names = {"desired": "requestedTaskCount", "running": "runningTaskCount", "pending": "pendingTaskCount"}
    return {name: sum(int(row.get(key) or 0) for row in rows) for name, key in names.items()}


def _of_deployments(rows: Sequence[Row]) -> dict[str, int]:
    names = {"desired": "desiredCount", "running": "runningCount", "pending": "pendingCount"}
    return {name: sum(int(row.get(key) or 0) for row in rows) for name, key in names.items()}


def _alarms(watched: Row) -> list[dict[str, str]]:
    """What ECS says of the alarms it watches: it names the ones that fired, of the others only that it watches."""
    fired = set(watched.get("triggeredAlarmNames") or [])
    status = str(watched.get("status") or "")
    return [
        {"name": str(name), "state": "ALARM" if name in fired else status}
        for name in sorted({*(watched.get("alarmNames") or []), *fired})
    ]


def _task(part: DeploymentPart, task: Row) -> dict[str, Any]:
    digest = next(
        (
            str(one.get("imageDigest") or "")
            for one in task.get("containers", [])
            if not part.container or one.get("name") == part.container
        ),
        "",
    )
    started = task.get("startedAt")
    return {
        "id": str(task["taskArn"]).rpartition("/")[2],
        "arn": str(task["taskArn"]),
        "task_definition": str(task.get("taskDefinitionArn") or "").rpartition("/")[2],
        "new": _is_new(part, task),
        "last_status": str(task.get("lastStatus") or ""),
        "desired_status": str(task.get("desiredStatus") or ""),
        "health": str(task.get("healthStatus") or ""),
        "digest": digest,
        "started_at": started.isoformat() if started else None,
        "zone": str(task.get("availabilityZone") or ""),
    }


def _is_new(part: DeploymentPart, task: Row) -> bool:
    """Whether our deployment started the task: it names it; else its revision tells."""
    starter = str(task.get("startedBy") or "")
    if part.ecs_deployment_id and starter:
        return starter == part.ecs_deployment_id
    return bool(part.registered_arn) and task.get("taskDefinitionArn") == part.registered_arn


def _addresses(task: Row) -> list[str]:
    return [
        str(interface["privateIpv4Address"])
        for one in task.get("containers", [])
        for interface in one.get("networkInterfaces", [])
        if interface.get("privateIpv4Address")
    ]
