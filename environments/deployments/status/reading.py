"""One look at an environment's services: what ECS says of each, and which error stood in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.models import ServiceStatus
from environments.deployments.services import Service
from environments.deployments.shown.revisions import short_id, split_reference
from portal.aws import autoscaling, ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

BATCH: Final = 20
KEPT_TASKS: Final = 100


@dataclass
class Seen:
    """What the look found of one service; `values` are columns of its status, `errors` what was not found out."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def look(
    access: AccountAccess, services: Sequence[Service], known: Mapping[str, ServiceStatus]
) -> dict[str, Seen]:
    """Service ARN -> what was seen. One batched call a cluster, then only what has changed since. Never raises AwsError."""
    found: dict[str, Seen] = {service.arn: Seen() for service in services}
    told: dict[str, dict[str, Any]] = {}
    for cluster in sorted({service.cluster_arn for service in services}):
        here = [service for service in services if service.cluster_arn == cluster]
        try:
            rows = ecs.describe_services(access, cluster, [service.arn for service in here])
        except AwsError as refused:
            for service in here:
                found[service.arn].errors.append(words(refused))
            continue
        by_arn = {row["serviceArn"]: row for row in rows}
        for service in here:
            row = by_arn.get(service.arn)
            if row is None:
                found[service.arn].values = {
                    "status": "MISSING",
                    "running": 0,
                    "pending": 0,
                    "deployments": [],
                }
            else:
                told[service.arn] = row
                found[service.arn].values = _plain(row)
    _images(access, told, known, found)
    for service in services:
        if service.arn in told:
            _scaling(access, service, found[service.arn])
            _tasks(access, service, known.get(service.arn), found[service.arn])
    return found


def words(refused: AwsError) -> str:
    """The error with what to do about it: which IAM action is missing."""
    return f"{refused.message} {refused.hint}".strip()[:4000]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": row.get("status", ""),
        "desired": row.get("desiredCount"),
        "running": row.get("runningCount"),
        "pending": row.get("pendingCount"),
        "task_definition_arn": row.get("taskDefinition", ""),
        "deployments": [
            {
                "id": one.get("id", ""),
                "status": one.get("status", ""),
                "rolloutState": one.get("rolloutState", ""),
                "desired": one.get("desiredCount"),
                "running": one.get("runningCount"),
                "pending": one.get("pendingCount"),
                "failed": one.get("failedTasks"),
                "task_definition": one.get("taskDefinition", ""),
            }
            for one in row.get("deployments", [])
        ],
    }


def _images(
    access: AccountAccess,
    told: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, ServiceStatus],
    found: Mapping[str, Seen],
) -> None:
    """Container -> image, tag, digest. A revision never changes, so one that was read is not read again."""
    read: dict[str, dict[str, dict[str, str]]] = {}
    for arn, row in told.items():
        running, before = row.get("taskDefinition", ""), known.get(arn)
        if before is not None and before.task_definition_arn == running and _pinned(before.images):
            found[arn].values["images"] = before.images
            continue
        try:
            if running not in read:
                read[running] = _containers(ecs.describe_task_definition(access, running))
        except AwsError as refused:
            # The old images are those of another revision.
            found[arn].values["images"] = {}
            found[arn].errors.append(words(refused))
            continue
        found[arn].values["images"] = {name: dict(image) for name, image in read[running].items()}
    _resolved(access, told, found)


def _containers(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    images: dict[str, dict[str, str]] = {}
    for container in definition.get("containerDefinitions", []):
        reference = str(container.get("image", ""))
        _repository, tag, digest = split_reference(reference)
        images[container["name"]] = {"image": reference, "tag": tag, "digest": digest}
    return images


def _pinned(images: Mapping[str, Mapping[str, str]]) -> bool:
    return bool(images) and all(image.get("digest") for image in images.values())


def _resolved(
    access: AccountAccess, told: Mapping[str, Mapping[str, Any]], found: Mapping[str, Seen]
) -> None:
    """For images named by a tag: the digest that ECS resolved it to when the service was last deployed."""
    wanted: dict[str, str] = {}
    for arn, row in told.items():
        revisions = row.get("currentServiceRevisions") or []
        if revisions and not _pinned(found[arn].values.get("images", {})):
            wanted[revisions[0]["arn"]] = arn
    for batch in _batches(list(wanted)):
        try:
            rows = ecs.describe_service_revisions(access, batch)
        except AwsError as refused:
            for revision in batch:
                found[wanted[revision]].errors.append(words(refused))
            continue
        for row in rows:
            images = found[wanted[row["serviceRevisionArn"]]].values["images"]
            for one in row.get("containerImages", []):
                image = images.get(one.get("containerName"))
                if image is not None and not image["digest"]:
                    image["digest"] = one.get("imageDigest", "")


def _batches(names: Sequence[str]) -> Iterable[list[str]]:
    for first in range(0, len(names), BATCH):
        yield list(names[first : first + BATCH])


def _scaling(access: AccountAccess, service: Service, seen: Seen) -> None:
    try:
        limits = autoscaling.scaling_of(access, short_id(service.cluster_arn), service.name)
    except AwsError as refused:
        seen.errors.append(words(refused))
        return
    seen.values["minimum"] = limits.minimum if limits else None
    seen.values["maximum"] = limits.maximum if limits else None


def tasks_due(before: ServiceStatus | None, values: Mapping[str, Any]) -> bool:
    """Whether the tasks are worth two calls: never asked for, something moved, or nobody is sure all are well."""
    if before is None or before.tasks_at is None:
        return True
    names = ("running", "pending", "desired", "task_definition_arn", "deployments")
    return any(getattr(before, name) != values.get(name) for name in names) or values.get(
        "running"
    ) != values.get("desired")


def _tasks(access: AccountAccess, service: Service, before: ServiceStatus | None, seen: Seen) -> None:
    if not tasks_due(before, seen.values):
        return
    try:
        arns = ecs.list_tasks(access, service.cluster_arn, service.name, "RUNNING")
        rows = ecs.describe_tasks(access, service.cluster_arn, arns[:KEPT_TASKS]) if arns else []
    except AwsError as refused:
        seen.errors.append(_("Its tasks could not be listed: %(why)s") % {"why": words(refused)})
        return
    running = seen.values["task_definition_arn"]
    seen.values["tasks"] = [_task(row, running, service.declaration.container) for row in rows]


def _task(row: Mapping[str, Any], running: str, container: str) -> dict[str, Any]:
    containers = row.get("containers", [])
    own = next(
        (one for one in containers if one.get("name") == container), containers[0] if containers else {}
    )
    started = row.get("startedAt")
    return {
        "id": short_id(row.get("taskArn", "")),
        "arn": row.get("taskArn", ""),
        "task_definition": row.get("taskDefinitionArn", ""),
        "new": row.get("taskDefinitionArn", "") == running,
        "last_status": row.get("lastStatus", ""),
        "desired_status": row.get("desiredStatus", ""),
        "health": row.get("healthStatus", ""),
        "digest": own.get("imageDigest", ""),
        "started_at": started.isoformat() if started else None,
        "zone": row.get("availabilityZone", ""),
    }
