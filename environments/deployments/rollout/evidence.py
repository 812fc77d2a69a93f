"""What is kept of a rollout because ECS forgets it: tasks that stopped, their last words, the service's events.

ECS tells of stopped tasks for about an hour and keeps a service's last hundred events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from environments.changes.work import Work
from environments.deployments.models import DeploymentPart, ServiceEvent, StoppedTask
from environments.deployments.rollout import diagnosis
from environments.deployments.rollout.task_logs import last_lines, redacted
from environments.deployments.services import access_of
from portal.aws import ecs
from portal.aws.sessions import AccountAccess
from portal.core.redaction import Redactor

# Clocks of AWS and of this machine may differ by this much.
SKEW: Final = timedelta(seconds=30)
# A service whose tasks die by the hundred tells the same story again and again.
MOST_TASKS, MOST_TAILS = 100, 20
NORMAL: Final = "scaling-in"


def capture(work: Work, part: DeploymentPart) -> int:
    """Keep every task of the service that stopped since the deployment began, once each: how many are new.

    Tasks of the revision before that ECS took away as it should are left out. Raises AwsError.
    """
    access = access_of(work.change.environment)
    if access is None:
        return 0
    known = set(part.stopped_tasks.values_list("task_arn", flat=True))
    passed_over = set(part.progress.get("passed_over", []))
    arns = [
        arn
        for arn in ecs.list_tasks(access, part.cluster_arn, part.service, "STOPPED")
        if arn not in known and arn not in passed_over
    ][:MOST_TASKS]
    rows = []
    tails = max(0, MOST_TAILS - len(known))
    for task in ecs.describe_tasks(access, part.cluster_arn, arns) if arns else []:
        row = _row(part, task, work.log.redactor)
        if _of_no_interest(part, row):
            passed_over.add(row.task_arn)
            continue
        if tails > 0:
            tails -= 1
            row.log_tail = _tail(access, part, task, work.log.redactor)
        found = diagnosis.explain(row)
        row.diagnosis = found.key if found else ""
        rows.append(row)
    part.progress["passed_over"] = sorted(passed_over)[-MOST_TASKS * 4 :]
    with work.fenced():
        StoppedTask.objects.bulk_create(rows, ignore_conflicts=True)
        part.save(update_fields=["progress"])
    return len(rows)


def keep_events(work: Work, part: DeploymentPart, service: Mapping[str, Any]) -> None:
    """Keep the service's events since the deployment began, once each."""
    since = (part.intended_at or timezone.now()) - SKEW
    rows = [
        ServiceEvent(
            part=part,
            event_id=str(event["id"]),
            at=event["createdAt"],
            message=redacted(str(event["message"]), work.log.redactor),
        )
        for event in service.get("events", [])
        if event["createdAt"] >= since
    ]
    if rows:
        with work.fenced():
            ServiceEvent.objects.bulk_create(rows, ignore_conflicts=True)


def worst(part: DeploymentPart) -> StoppedTask | None:
    """The stopped task that tells most of why it went wrong: the latest one with a cause, else the latest."""
    rows = [row for row in part.stopped_tasks.order_by("-stopped_at", "-id")[:50] if row.diagnosis != NORMAL]
    return next((row for row in rows if row.diagnosis), rows[0] if rows else None)


def _row(part: DeploymentPart, task: Mapping[str, Any], redactor: Redactor) -> StoppedTask:
    return StoppedTask(
        part=part,
        task_arn=str(task["taskArn"]),
        task_definition_arn=str(task.get("taskDefinitionArn") or ""),
        stop_code=str(task.get("stopCode") or ""),
        stopped_reason=redacted(str(task.get("stoppedReason") or ""), redactor),
        containers=[_container(one, redactor) for one in task.get("containers", [])],
        started_at=task.get("startedAt"),
        stopped_at=task.get("stoppedAt") or task.get("stoppingAt"),
    )


def _container(one: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    return {
        "name": str(one.get("name") or ""),
        "exit_code": one.get("exitCode"),
        "reason": redacted(str(one.get("reason") or ""), redactor),
        "image_digest": str(one.get("imageDigest") or ""),
        "health": str(one.get("healthStatus") or ""),
    }


def _of_no_interest(part: DeploymentPart, row: StoppedTask) -> bool:
    """Stopped before the deployment began, or an old task that ECS replaced as it should."""
    if part.intended_at is not None and row.stopped_at and row.stopped_at < part.intended_at - SKEW:
        return True
    found = diagnosis.explain(row)
    old = row.task_definition_arn == part.previous_arn
    return bool(found and found.normal and old)


def _tail(access: AccountAccess, part: DeploymentPart, task: Mapping[str, Any], redactor: Redactor) -> str:
    """The last lines of the container that ended with an error, else of the one that is deployed."""
    name = _spokesman(task.get("containers", []), part.container)
    definition = str(task.get("taskDefinitionArn") or "")
    return last_lines(access, definition, str(task["taskArn"]), name, redactor)


def _spokesman(containers: Iterable[Mapping[str, Any]], deployed: str) -> str:
    rows = list(containers)
    failed = [str(row.get("name")) for row in rows if row.get("exitCode")]
    if not failed or deployed in failed:
        return deployed or (str(rows[0].get("name")) if rows else "")
    return failed[0]
