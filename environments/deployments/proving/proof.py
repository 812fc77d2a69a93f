"""What runs is what was approved: told from ECS's own record of this deployment and from every running task.

A service that is "stable" proves nothing: it is so too after ECS went back by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.models import Act, DeploymentPart
from portal.aws import ecs
from portal.aws.sessions import AccountAccess

UNDER_WAY: Final = frozenset({"PENDING", "IN_PROGRESS"})
WENT_BACK: Final = frozenset(
    {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
)


@dataclass(frozen=True)
class Proof:
    """Whether a service runs as approved, and in words why (not).

    `ok` is None while it cannot be told yet. `replaced`: somebody deployed it again outside the portal.
    """

    ok: bool | None
    text: str
    replaced: bool = False


def _yes(text: str) -> Proof:
    return Proof(ok=True, text=text)


def _no(text: str, *, replaced: bool = False) -> Proof:
    return Proof(ok=False, text=text, replaced=replaced)


def _not_yet(text: str) -> Proof:
    return Proof(ok=None, text=text)


def proven(access: AccountAccess, part: DeploymentPart) -> Proof:
    """Look at the service now, altering nothing. Raises AwsError."""
    found = ecs.describe_services(access, part.cluster_arn, [part.service_arn])
    service = found[0] if found else None
    if service is None or service.get("status") != "ACTIVE":
        return _no(_("The service %(name)s is no more.") % {"name": part.service}, replaced=True)
    if part.deployment.act == Act.SCALE:
        return _scaled(part, service)
    return _completed(access, part, service) or _carried(access, part, service)


def standing(access: AccountAccess, part: DeploymentPart) -> str:
    """What has taken this deployment's place since it was proven, in words; "" while it stands. One call.

    Raises AwsError.
    """
    found = ecs.describe_services(access, part.cluster_arn, [part.service_arn])
    if not found or found[0].get("status") != "ACTIVE":
        return _("The service %(name)s is no more.") % {"name": part.service}
    if part.deployment.act == Act.SCALE:
        return ""
    told = _replaced(part, found[0]) or _taken(part, found[0])
    return told.text if told else ""


def running_tasks(access: AccountAccess, part: DeploymentPart) -> list[dict[str, Any]]:
    """The service's tasks that shall run; those that are being drained are not among them. Raises AwsError."""
    arns = ecs.list_tasks(access, part.cluster_arn, part.service, "RUNNING")
    return ecs.describe_tasks(access, part.cluster_arn, arns) if arns else []


def revision_of(part: DeploymentPart) -> str:
    """The task definition that runs when all went well; "" when the part is not about one."""
    if part.registered_arn or part.deployment.act != Act.RESTART:
        return part.registered_arn
    return part.previous_arn


def primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """ECS's newest deployment of a service; {} when it has none."""
    return next((row for row in service.get("deployments", []) if row.get("status") == "PRIMARY"), {})


def _scaled(part: DeploymentPart, service: Mapping[str, Any]) -> Proof:
    wanted = part.wanted.get("desired")
    desired, running = service["desiredCount"], service["runningCount"]
    figures = {"running": running, "desired": desired, "wanted": wanted}
    if wanted is not None and desired < wanted:
        # Autoscaling may ask for more than was wanted, never for less than its new minimum.
        return _no(_("The service is set to %(desired)s tasks, not to %(wanted)s.") % figures, replaced=True)
    if running != desired or service.get("pendingCount"):
        return _not_yet(_("%(running)s of %(desired)s tasks run.") % figures)
    return _yes(_("%(running)s of %(desired)s tasks run, as asked.") % figures)


def _completed(access: AccountAccess, part: DeploymentPart, service: Mapping[str, Any]) -> Proof | None:
    """Why this very deployment has not completed, or has been replaced since; None when it stands."""
    rows = (
        ecs.describe_service_deployments(access, [part.service_deployment_arn])
        if part.service_deployment_arn
        else []
    )
    # Where ECS keeps no such record, its list of a service's deployments has to do.
    return _by_record(part, rows[0], service) if rows else _by_rollout(part, service)


def _by_rollout(part: DeploymentPart, service: Mapping[str, Any]) -> Proof | None:
    taken = _replaced(part, service) or _taken(part, service)
    if taken:
        return taken
    now = primary(service)
    state = now.get("rolloutState", "COMPLETED")
    if state == "IN_PROGRESS":
        return _not_yet(_("ECS still rolls it out."))
    if state != "COMPLETED":
        why = now.get("rolloutStateReason") or state
        return _no(_("ECS did not complete this deployment: %(why)s") % {"why": why})
    return None


def _by_record(part: DeploymentPart, row: Mapping[str, Any], service: Mapping[str, Any]) -> Proof | None:
    status = str(row.get("status", ""))
    if status in UNDER_WAY:
        return _not_yet(_("ECS still rolls it out."))
    if status != "SUCCESSFUL":
        why = row.get("statusReason") or status
        text = _("ECS went back by itself: %(why)s") if status in WENT_BACK else _("ECS stopped it: %(why)s")
        return _no(text % {"why": why})
    return _replaced(part, service) or _taken(part, service)


def _taken(part: DeploymentPart, service: Mapping[str, Any]) -> Proof | None:
    """Whether ECS is at another deployment, of the same revision perhaps: somebody restarted it."""
    record, current = part.service_deployment_arn, service.get("currentServiceDeployment")
    ids = part.ecs_deployment_id, primary(service).get("id")
    if (record and current and current != record) or (not record and ids[0] and ids[0] != ids[1]):
        return _no(_("Another deployment of the service has taken this one's place."), replaced=True)
    return None


def _replaced(part: DeploymentPart, service: Mapping[str, Any]) -> Proof | None:
    """Whether something else was deployed after this deployment had completed."""
    approved, now = revision_of(part), str(service.get("taskDefinition", ""))
    if approved and now != approved:
        names = {"now": short(now), "approved": short(approved)}
        text = _("The service now runs %(now)s instead of %(approved)s: something else deployed it.") % names
        return _no(text, replaced=True)
    return None


def _carried(access: AccountAccess, part: DeploymentPart, service: Mapping[str, Any]) -> Proof:
    """Whether each task that runs is of this deployment and carries its digest."""
    tasks = running_tasks(access, part)
    running = [task for task in tasks if task.get("lastStatus") == "RUNNING"]
    desired = service["desiredCount"]
    if len(running) < desired or len(running) < len(tasks):
        counts = {"running": len(running), "desired": desired}
        return _not_yet(_("%(running)s of %(desired)s tasks run.") % counts)
    wrong = [text for task in running if (text := _strange(part, task))]
    if wrong:
        return _no(" ".join(wrong[:3]))
    if not running:
        return _yes(
            _("The service is set to no tasks at all, so none runs; the next one to start is as approved."),
        )
    named = {"running": len(running), "digest": part.digest[:19], "revision": short(revision_of(part))}
    if part.digest:
        return _yes(_("All %(running)s running tasks carry the approved digest %(digest)s….") % named)
    return _yes(_("All %(running)s running tasks are of the approved revision.") % named)


def _strange(part: DeploymentPart, task: Mapping[str, Any]) -> str:
    """What of a running task is not as approved, in words; "" when all is."""
    name = short(str(task["taskArn"]))
    approved = revision_of(part)
    if approved and task.get("taskDefinitionArn") != approved:
        revision = short(str(task.get("taskDefinitionArn", "")))
        return _("Task %(task)s runs %(revision)s.") % {"task": name, "revision": revision}
    if part.digest and not carries(task.get("containers", []), part.container, part.digest):
        return _("Task %(task)s does not carry the approved digest.") % {"task": name}
    if part.deployment.act == Act.RESTART and not _of_restart(part, task):
        return _("Task %(task)s ran before the restart and still does.") % {"task": name}
    return ""


def carries(containers: Sequence[Mapping[str, Any]], name: str, digest: str) -> bool:
    """Whether the container runs this image.

    Of an image for several platforms a task may report the digest of its own platform's part: then the
    reference it was started with decides, which names the approved content and can mean no other.
    """
    return any(
        row.get("imageDigest") == digest or str(row.get("image", "")).endswith(f"@{digest}")
        for row in containers
        if not name or row.get("name") == name
    )


def _of_restart(part: DeploymentPart, task: Mapping[str, Any]) -> bool:
    """Whether ECS started this task for the restart: it names the deployment; else the clocks decide."""
    if part.ecs_deployment_id and task.get("startedBy") == part.ecs_deployment_id:
        return True
    created = task.get("createdAt")
    return part.intended_at is not None and created is not None and created >= part.intended_at


def short(arn: str) -> str:
    """The last part of an ARN: "family:7", a task's id."""
    return arn.rpartition("/")[2]
