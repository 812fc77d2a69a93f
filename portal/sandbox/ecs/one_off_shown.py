"""A task that RunTask started, as DescribeTasks tells of it."""

from __future__ import annotations

from typing import Any

from portal.sandbox.ecs.one_off import Container, OneOff


def described(task: OneOff, now: float, *, tags: bool = True) -> dict[str, Any]:
    """One of DescribeTasks' tasks."""
    status, stopped = task.status(now), task.at("STOPPED", now)
    ended = now >= task.ends_at
    found: dict[str, Any] = {
        "taskArn": task.arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.definition,
        "group": task.group,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": task.zone,
        "cpu": task.cpu,
        "memory": task.memory,
        "overrides": task.asked.get("overrides") or {},
        "lastStatus": status,
        "desiredStatus": "RUNNING" if task.is_wanted(now) else "STOPPED",
        "healthStatus": "UNKNOWN",
        "connectivity": "CONNECTED" if task.running_at and now >= task.running_at else "DISCONNECTED",
        "version": 1 + sum(at <= now for at, _status in task.marks),
        "createdAt": task.created,
        "containers": [_container(task, one, now) for one in task.containers],
        "attachments": [_attachment(task, status)],
        "attributes": [],
        "enableExecuteCommand": False,
    }
    if task.started_by:
        found["startedBy"] = task.started_by
    if task.running_at and now >= task.running_at:
        found |= {"pullStartedAt": task.created + task.step, "startedAt": task.running_at}
        found["pullStoppedAt"] = task.running_at
    if ended:
        found |= {
            "stoppingAt": task.ends_at,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
        }
        found["executionStoppedAt"] = task.ends_at
    if stopped is not None:
        found["stoppedAt"] = stopped
    if tags:
        found["tags"] = task.tags
    return found


def _container(task: OneOff, one: Container, now: float) -> dict[str, Any]:
    status = task.status(now)
    shown = {"RUNNING": "RUNNING", "DEPROVISIONING": "STOPPED", "STOPPED": "STOPPED"}.get(status, "PENDING")
    found: dict[str, Any] = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{one.name}",
        "taskArn": task.arn,
        "name": one.name,
        "image": one.image,
        "lastStatus": shown,
        "healthStatus": "UNKNOWN",
        "networkBindings": [],
        "networkInterfaces": [{"attachmentId": f"{task.id}-eni", "privateIpv4Address": task.address}],
        "cpu": "0",
    }
    if one.digest and task.running_at and now >= task.running_at:
        found["imageDigest"] = one.digest
        found["runtimeId"] = f"{task.id}-{one.name}"
    if now >= task.ends_at:
        if one.exit_code is not None:
            found["exitCode"] = one.exit_code
        if one.reason:
            found["reason"] = one.reason
    return found


def _attachment(task: OneOff, status: str) -> dict[str, Any]:
    state = {"PROVISIONING": "PRECREATED", "STOPPED": "DELETED"}.get(status, "ATTACHED")
    details = {"subnetId": task.subnet, "privateIPv4Address": task.address}
    return {
        "id": f"{task.id}-eni",
        "type": "ElasticNetworkInterface",
        "status": state,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }
