"""How far a way back is: which revision comes back, whether it runs, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.changes.work import Work
from environments.deployments.models import DeploymentPart, Outcome, Step
from environments.deployments.proving.proof import carries, primary, running_tasks, short
from environments.deployments.rollout import evidence
from environments.deployments.rollout.recognising import ours
from portal.aws import ecs
from portal.aws.sessions import AccountAccess
from portal.aws.task_definitions import registrable


def write(work: Work, part: DeploymentPart, **fields: Any) -> None:
    """Write fields of the part, if this worker still owns the change; StaleState otherwise."""
    with work.fenced():
        DeploymentPart.objects.filter(pk=part.pk).update(**fields)
    for name, value in fields.items():
        setattr(part, name, value)


def pause(part: DeploymentPart) -> float:
    """Seconds until the next look: short at first, ten at last."""
    if part.going_back_at is None:
        return 1.0
    return min(10.0, 1.0 + (timezone.now() - part.going_back_at).total_seconds() / 10)


def end(work: Work, part: DeploymentPart, outcome: Outcome, text: str = "") -> bool:
    """Write how it ended; whether the service is back."""
    reason = " ".join(filter(None, [part.outcome_reason, text]))
    write(
        work,
        part,
        outcome=outcome,
        outcome_reason=reason,
        step=Step.DONE,
        finished_at=part.finished_at or timezone.now(),
    )
    work.say(f"{part.service}: {outcome.label}. {text}".strip())
    return outcome in {Outcome.ROLLED_BACK, Outcome.UNTOUCHED}


def show(work: Work, part: DeploymentPart, service: Mapping[str, Any]) -> None:
    """Keep counts and events on the page while it goes back: "old" is what comes back."""
    mine = ours(part, service).get("id")
    rows = service.get("deployments", [])
    counts = {
        "new": {**_sum([row for row in rows if row.get("id") == mine]), "failed": _failed(rows, mine)},
        "old": _sum([row for row in rows if row.get("id") != mine]),
    }
    evidence.keep_events(work, part, service)
    if any(part.progress.get(name) != value for name, value in counts.items()):
        write(work, part, progress={**part.progress, **counts}, progress_at=timezone.now())


def _sum(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    names = {"desired": "desiredCount", "running": "runningCount", "pending": "pendingCount"}
    return {name: sum(int(row.get(key) or 0) for row in rows) for name, key in names.items()}


def _failed(rows: Sequence[Mapping[str, Any]], mine: str | None) -> int:
    return sum(int(row.get("failedTasks") or 0) for row in rows if row.get("id") == mine)


def target(access: AccountAccess, previous_arn: str) -> str:
    """The revision to go back to: the previous one, or an ACTIVE equal of it when it has been deregistered.

    Raises AwsError.
    """
    definition = ecs.describe_task_definition(access, previous_arn)
    if definition.get("status") == "ACTIVE":
        return previous_arn
    rendered = registrable(definition)
    return ecs.find_equal_revision(access, rendered) or ecs.register(access, rendered)


def settled(work: Work, part: DeploymentPart, access: AccountAccess, service: Mapping[str, Any]) -> bool:
    """See a service through that is told to run its previous revision again. Raises Later, AwsError."""
    current = str(service.get("currentServiceDeployment") or "")
    if current and current != part.service_deployment_arn:
        if part.rollback_arn != current:
            write(work, part, rollback_arn=current)
        rows = ecs.describe_service_deployments(access, [current])
        status = str(rows[0].get("status", "")) if rows else "SUCCESSFUL"
        if status in {"PENDING", "IN_PROGRESS"}:
            raise Later(pause(part))
        if status != "SUCCESSFUL":
            why = rows[0].get("statusReason") or status
            return end(
                work, part, Outcome.ROLLBACK_FAILED, _("ECS could not roll it back: %(why)s") % {"why": why}
            )
    elif primary(service).get("rolloutState", "COMPLETED") == "IN_PROGRESS":
        raise Later(pause(part))
    return _running(work, part, access, service)


def _running(work: Work, part: DeploymentPart, access: AccountAccess, service: Mapping[str, Any]) -> bool:
    """Whether every wanted task runs the revision that came back."""
    revision = str(service["taskDefinition"])
    tasks = [task for task in running_tasks(access, part) if task.get("lastStatus") == "RUNNING"]
    back = [task for task in tasks if task.get("taskDefinitionArn") == revision]
    if len(back) < service["desiredCount"] or len(back) < len(tasks):
        raise Later(pause(part))
    other = part.previous_digest and not all(
        carries(task.get("containers", []), part.container, part.previous_digest) for task in back
    )
    text = _("It runs %(revision)s again.") % {"revision": short(revision)}
    if other:
        text += " " + _(
            "But its image is named by a tag that means something else by now: the tasks carry another "
            "digest than before."
        )
    return end(work, part, Outcome.ROLLED_BACK, text)
