"""A service's task as DescribeTasks says it."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend, Service

from portal.sandbox.ecs import timeline
from portal.sandbox.ecs.rows import when
from portal.sandbox.ecs.state import ServiceState, Task

_MARKED = {
    "PENDING": "pullStartedAt",
    "RUNNING": "startedAt",
    "STOPPED": "stoppedAt",
}


def arn(state: ServiceState, task: Task) -> str:
    """The task's ARN."""
    return f"{state.prefix}:task/{state.cluster}/{task.id}"


def row(
    backend: EC2ContainerServiceBackend, service: Service, state: ServiceState, task: Task, now: float
) -> dict[str, Any]:
    """Everything that ECS says of the task at that time."""
    definition = backend.describe_task_definition(task.definition)
    status = timeline.status_at(task, now)
    described: dict[str, Any] = {
        "taskArn": arn(state, task),
        "taskDefinitionArn": task.definition,
        "clusterArn": state.cluster_arn,
        "group": f"service:{state.name}",
        "startedBy": task.deployment,
        "lastStatus": status,
        "desiredStatus": "RUNNING" if timeline.is_wanted(task) else "STOPPED",
        "healthStatus": _health(task, definition.container_definitions, now),
        "connectivity": "CONNECTED",
        "connectivityAt": when(task.created),
        "createdAt": when(task.created),
        "launchType": service.launch_type,
        "platformVersion": service.platform_version or "1.4.0",
        "platformFamily": "Linux",
        "cpu": definition.cpu,
        "memory": definition.memory,
        "version": 1 + sum(at <= now for at, _ in task.marks),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "enableExecuteCommand": bool(getattr(service, "enable_execute_command", False)),
        "availabilityZone": task.zone or None,
        "attachments": _attachments(task, status),
        "containers": [_container(state, task, found, now) for found in definition.container_definitions],
        "tags": service.tags or [],
    }
    described |= {_MARKED[name]: when(at) for at, name in task.marks if name in _MARKED and at <= now}
    if task.running_at is not None and task.running_at <= now:
        described["pullStoppedAt"] = when(task.running_at)
    if task.stopping_at is not None:
        described |= {
            "stoppingAt": when(task.stopping_at),
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
        }
        if task.drained_at is not None and task.drained_at <= now:
            described["executionStoppedAt"] = when(task.drained_at)
    return described


def _health(task: Task, containers: list[dict[str, Any]], now: float) -> str:
    if not any(found.get("healthCheck") for found in containers):
        return "UNKNOWN"
    return timeline.health_at(task, now)


def _container(state: ServiceState, task: Task, found: dict[str, Any], now: float) -> dict[str, Any]:
    name, status = str(found["name"]), timeline.status_at(task, now)
    digest = next((digest for known, _, digest in task.images if known == name), None)
    over = status in {"DEPROVISIONING", "STOPPED"}
    row: dict[str, Any] = {
        "containerArn": f"{state.prefix}:container/{state.cluster}/{task.id}/{_short(task.id + name)}",
        "taskArn": arn(state, task),
        "name": name,
        "image": found.get("image"),
        "imageDigest": digest,
        "runtimeId": f"{task.id}-{_short(name)}",
        "lastStatus": "STOPPED"
        if over
        else "RUNNING"
        if status in {"RUNNING", "DEACTIVATING"}
        else "PENDING",
        "healthStatus": timeline.health_at(task, now) if found.get("healthCheck") else "UNKNOWN",
        "networkInterfaces": [],
        "cpu": str(found.get("cpu") or 0),
        "memory": str(found["memory"]) if found.get("memory") else None,
    }
    if task.address:
        row["networkInterfaces"] = [
            {"attachmentId": _attachment_id(task), "privateIpv4Address": task.address}
        ]
    if over:
        row["exitCode"] = task.exit_code
    if task.container_reason and task.stopping_at is not None:
        row["reason"] = task.container_reason
    return row


def _attachments(task: Task, status: str) -> list[dict[str, Any]]:
    if not task.subnet:
        return []
    state = {"PROVISIONING": "PRECREATED", "STOPPED": "DELETED"}.get(status, "ATTACHED")
    details = {
        "subnetId": task.subnet,
        "networkInterfaceId": f"eni-{task.id[:17]}",
        "macAddress": ":".join(("0e", *(task.id[at : at + 2] for at in range(0, 10, 2)))),
        "privateDnsName": f"ip-{task.address.replace('.', '-')}.ec2.internal",
        "privateIPv4Address": task.address,
    }
    return [
        {
            "id": _attachment_id(task),
            "type": "ElasticNetworkInterface",
            "status": state,
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }
    ]


def _attachment_id(task: Task) -> str:
    return f"{task.id[:8]}-{task.id[8:12]}-{task.id[12:16]}-{task.id[16:20]}-{task.id[20:32]}"


def _short(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:12]
