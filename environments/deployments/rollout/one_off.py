"""A task run once for a deployment, started once whatever becomes of the worker, its log followed into the change's.

It is of the deployment's own task definition, in the service's network, with another command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.changes.work import Work
from environments.deployments.models import DeploymentPart, OneOffTask
from environments.deployments.rollout import one_off_log
from environments.deployments.rollout.recognising import wanted_definition
from environments.deployments.rollout.task_logs import redacted
from environments.deployments.rollout.watching import access_for
from portal.aws import ecs
from portal.aws.sessions import AccountAccess

PACE: Final = 3.0
# What RunTask takes over from the service as it is.
LIKE_THE_SERVICE: Final = ("networkConfiguration", "platformVersion", "capacityProviderStrategy")


def run(
    work: Work,
    part: DeploymentPart,
    *,
    purpose: str,
    name: str,
    command: Sequence[str],
    container: str,
) -> OneOffTask:
    """The task's row once it has ended. Raises Later until then, AwsError.

    `exit_code` is the container's, null when it never ran: then `stopped_reason` says why.
    """
    row = _row(work, part, purpose, name[:120], command)
    if row.finished_at is not None:
        return row
    access = access_for(work)
    container = container or part.container
    if not row.task_arn:
        _start(work, access, part, row, container)
        raise Later(PACE)
    task = next(iter(ecs.describe_tasks(access, part.cluster_arn, [row.task_arn])), None)
    one_off_log.follow(work, access, part, row, container, at_end=_is_over(task))
    if not _is_over(task):
        _give_up_in_time(work, access, part, row)
        raise Later(PACE)
    _finish(work, row, task, container)
    return row


def stop(work: Work, part: DeploymentPart, why: str) -> None:
    """Stop the tasks of this part that still run: nobody waits for them any more. Raises AwsError."""
    access = access_for(work)
    for row in part.one_off_tasks.filter(finished_at=None):
        if row.task_arn:
            ecs.stop_task(access, part.cluster_arn, row.task_arn, why)
        _keep(work, row, finished_at=timezone.now(), stopped_reason=why)


def _row(work: Work, part: DeploymentPart, purpose: str, name: str, command: Sequence[str]) -> OneOffTask:
    found = part.one_off_tasks.filter(purpose=purpose, name=name).first()
    if found is not None:
        return found
    token = uuid5(NAMESPACE_URL, f"gatehouse:{work.change.uuid}:{part.pk}:{purpose}:{name}")
    with work.fenced():
        return OneOffTask.objects.create(
            part=part, purpose=purpose, name=name, command=list(command), client_token=str(token)
        )


def _start(work: Work, access: AccountAccess, part: DeploymentPart, row: OneOffTask, container: str) -> None:
    """Start it. Asked again with the same token, ECS answers with the task that it has started."""
    service = ecs.describe_services(access, part.cluster_arn, [part.service_arn])[0]
    definition = part.registered_arn or wanted_definition(part) or str(service["taskDefinition"])
    work.lease.hold()
    task = ecs.run_task(
        access,
        **_like(service),
        cluster=part.cluster_arn,
        taskDefinition=definition,
        count=1,
        clientToken=row.client_token,
        startedBy=f"gatehouse/{work.change.uuid}",
        overrides={"containerOverrides": [{"name": container, "command": list(row.command)}]},
    )
    _keep(work, row, task_arn=str(task["taskArn"]), started_at=timezone.now())
    words = {"name": row.name, "task": row.task_arn.rpartition("/")[2], "service": part.service}
    work.say(_("%(service)s: the task “%(name)s” was started (%(task)s).") % words)


def _like(service: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: service[name] for name in LIKE_THE_SERVICE if service.get(name)}
    if "capacityProviderStrategy" not in asked and service.get("launchType"):
        asked["launchType"] = service["launchType"]
    if service.get("launchType") == "EC2":
        asked.pop("platformVersion", None)
    return asked


def _is_over(task: Mapping[str, Any] | None) -> bool:
    return task is None or task.get("lastStatus") == "STOPPED"


def _give_up_in_time(work: Work, access: AccountAccess, part: DeploymentPart, row: OneOffTask) -> None:
    limit = timedelta(minutes=settings.ONE_OFF_TASK_MINUTES)
    if row.started_at is None or timezone.now() - row.started_at < limit or row.stopped_reason:
        return
    why = _("It had not ended after %(n)s minutes.") % {"n": settings.ONE_OFF_TASK_MINUTES}
    ecs.stop_task(access, part.cluster_arn, row.task_arn, why)
    _keep(work, row, stopped_reason=why)


def _finish(work: Work, row: OneOffTask, task: Mapping[str, Any] | None, container: str) -> None:
    rows: list[dict[str, Any]] = list((task or {}).get("containers", []))
    ended = next((one for one in rows if one.get("name") == container), {})
    gave_up = row.stopped_reason
    reasons = [
        gave_up,
        str((task or {}).get("stoppedReason") or ""),
        str(ended.get("reason") or ""),
        "" if task is not None else _("ECS does not know the task any more."),
    ]
    code = ended.get("exitCode")
    _keep(
        work,
        row,
        finished_at=timezone.now(),
        # Stopped by us it did not do its work, whatever it says on its way out.
        exit_code=None if gave_up else code,
        stopped_reason=redacted(" ".join(filter(None, reasons)), work.log.redactor),
    )
    words = {"name": row.name, "code": code, "why": row.stopped_reason}
    ended_how = _("The task “%(name)s” ended with exit code %(code)s.")
    work.say((ended_how if row.exit_code is not None else _("The task “%(name)s” failed: %(why)s")) % words)


def _keep(work: Work, row: OneOffTask, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    with work.fenced():
        row.save(update_fields=list(fields))
