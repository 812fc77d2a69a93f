"""Services' deployments, revisions and events as the ECS API says them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.sandbox.ecs import rollouts, timeline
from portal.sandbox.ecs.state import Deployment, Revision, Rollout, ServiceState, Task


def when(at: float | None) -> datetime | None:
    """A time as moto's serializers want it; None stays None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def event(found: dict[str, Any]) -> dict[str, Any]:
    """An event of a service."""
    return {**found, "createdAt": when(found["createdAt"])}


def deployment(state: ServiceState, found: Deployment, now: float) -> dict[str, Any]:
    """An entry of a service's `deployments`."""
    tasks = _live(state, found.id)
    wanted = found.wanted if found.wanted is not None else state.desired
    primary = found.status == "PRIMARY"
    return {
        "id": found.id,
        "status": found.status,
        "taskDefinition": found.definition,
        "desiredCount": wanted if primary or found.wanted is not None else _running(tasks, now),
        "pendingCount": _pending(tasks, now),
        "runningCount": _running(tasks, now),
        "failedTasks": found.failed,
        "createdAt": when(found.created),
        "updatedAt": when(found.updated),
        "launchType": found.settings.get("launchType"),
        "platformVersion": found.settings.get("platformVersion"),
        "platformFamily": "EC2" if found.settings.get("launchType") == "EC2" else "Linux",
        "capacityProviderStrategy": found.settings.get("capacityProviderStrategy") or [],
        "networkConfiguration": found.settings.get("networkConfiguration"),
        "rolloutState": found.rollout,
        "rolloutStateReason": found.reason,
    }


def revisions_now(state: ServiceState, now: float) -> list[dict[str, Any]]:
    """The revisions that a service runs now, the wanted one first."""
    return [
        _counted(state, found.revision, found.id, now, requested=_requested(state, found))
        for found in state.deployments
    ]


def rollout(state: ServiceState, found: Rollout, now: float) -> dict[str, Any]:
    """A service deployment as DescribeServiceDeployments says it."""
    target = next((other for other in state.deployments if other.id == found.deployment), None)
    asked = _requested(state, target) if target else state.desired if found.status == "SUCCESSFUL" else 0
    sources = [
        _counted(state, arn, _deployment_of(state, arn, found), now, requested=number)
        for arn, number in found.sources
    ]
    row: dict[str, Any] = {
        **listed(state, found),
        "stoppedAt": when(found.stopped),
        "updatedAt": when(found.updated),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": _counted(state, found.target, found.deployment, now, requested=asked),
        "deploymentConfiguration": found.configuration,
        "deploymentCircuitBreaker": {
            "status": found.breaker,
            "failureCount": found.failures,
            "threshold": rollouts.threshold(state, found),
        },
    }
    row.pop("targetServiceRevisionArn")
    if found.started_as in rollouts.SHIFTING:
        _with_traffic(row, found)
    if found.stage and found.moving:
        row["lifecycleStage"] = found.stage
    alarms = (found.configuration.get("alarms") or {}).get("alarmNames") or []
    if alarms:
        row["alarms"] = {"status": found.alarms, "alarmNames": alarms, "triggeredAlarmNames": found.triggered}
    if found.rollback:
        row["rollback"] = {**found.rollback, "startedAt": when(found.rollback["startedAt"])}
    return row


def _with_traffic(row: dict[str, Any], found: Rollout) -> None:
    shifted = 100.0 if found.status == "SUCCESSFUL" else found.shifted
    tested = 100.0 if found.status == "SUCCESSFUL" else found.tested
    row["targetServiceRevision"] |= {
        "requestedProductionTrafficWeight": shifted,
        "requestedTestTrafficWeight": tested,
    }
    for number, source in enumerate(row["sourceServiceRevisions"]):
        # Only the revision that served before has the rest.
        rest = (100.0 - shifted, 100.0 - tested) if number == 0 else (0.0, 0.0)
        source |= {"requestedProductionTrafficWeight": rest[0], "requestedTestTrafficWeight": rest[1]}


def listed(state: ServiceState, found: Rollout) -> dict[str, Any]:
    """A service deployment as ListServiceDeployments says it."""
    return {
        "serviceDeploymentArn": found.arn,
        "serviceArn": state.arn,
        "clusterArn": state.cluster_arn,
        "createdAt": when(found.created),
        "startedAt": when(found.created),
        "finishedAt": when(found.finished),
        "targetServiceRevisionArn": found.target,
        "status": found.status,
        "statusReason": found.reason or None,
    }


def revision(state: ServiceState, found: Revision) -> dict[str, Any]:
    """A service revision, with the digests of the images that its tasks got."""
    settings = found.settings
    return {
        "serviceRevisionArn": found.arn,
        "serviceArn": state.arn,
        "clusterArn": state.cluster_arn,
        "taskDefinition": found.definition,
        "launchType": settings.get("launchType"),
        "platformVersion": settings.get("platformVersion"),
        "platformFamily": "Linux",
        "capacityProviderStrategy": settings.get("capacityProviderStrategy") or [],
        "loadBalancers": settings.get("loadBalancers") or [],
        "serviceRegistries": settings.get("serviceRegistries") or [],
        "networkConfiguration": settings.get("networkConfiguration"),
        "containerImages": [
            {"containerName": name, "image": image, "imageDigest": digest}
            for name, image, digest in found.images
        ],
        "createdAt": when(found.created),
        "resolvedConfiguration": {
            "loadBalancers": [
                {"targetGroupArn": group, "productionListenerRule": found.rule or None}
                for group, _ in found.groups
            ]
        },
    }


def _requested(state: ServiceState, found: Deployment) -> int:
    if found.wanted is not None:
        return found.wanted
    return state.desired if found.status == "PRIMARY" else 0


def _deployment_of(state: ServiceState, revision_arn: str, but: Rollout) -> str:
    found = (
        other.id
        for other in state.deployments
        if other.revision == revision_arn and other.id != but.deployment
    )
    return next(found, "")


def _counted(state: ServiceState, arn: str, name: str, now: float, *, requested: int) -> dict[str, Any]:
    tasks = _live(state, name)
    return {
        "arn": arn,
        "requestedTaskCount": requested,
        "runningTaskCount": _running(tasks, now),
        "pendingTaskCount": _pending(tasks, now),
    }


def _live(state: ServiceState, deployment_id: str) -> list[Task]:
    return [task for task in state.tasks.values() if task.deployment == deployment_id]


def _running(tasks: list[Task], now: float) -> int:
    return sum(timeline.is_running(task, now) for task in tasks)


def _pending(tasks: list[Task], now: float) -> int:
    return sum(timeline.is_pending(task, now) for task in tasks)
