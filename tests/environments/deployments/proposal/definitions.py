"""Task definitions as ECS describes them, and what a blueprint declares of their service."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from environments.deployments.declarations import Declaration

REPOSITORY = "210000000001.dkr.ecr.ap-northeast-2.amazonaws.com/api"
ARN = "arn:aws:ecs:ap-northeast-2:210000000001:task-definition/api:{}"


def described(revision: int = 7, **changed: Any) -> dict[str, Any]:
    """A revision as DescribeTaskDefinition tells it, with its tags; `changed` replaces parts of the api container."""
    api: dict[str, Any] = {
        "name": "api",
        "image": f"{REPOSITORY}@sha256:{'a' * 64}",
        "cpu": 192,
        "memory": 384,
        "essential": True,
        "environment": [{"name": "ENVIRONMENT", "value": "production"}, {"name": "EMPTY", "value": ""}],
        "secrets": [{"name": "DATABASE_URL", "valueFrom": "arn:aws:secretsmanager:x:1:secret:db-AbCdEf"}],
        "mountPoints": [],
        "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 30, "retries": 3},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/api"}},
        "versionConsistency": "enabled",
        "somethingNew": {"from": "next year"},
    }
    api |= changed
    return {
        "taskDefinitionArn": ARN.format(revision),
        "family": "api",
        "revision": revision,
        "status": "ACTIVE",
        "compatibilities": ["EC2", "FARGATE"],
        "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.ecr-auth"}],
        "registeredAt": "2026-01-01",
        "registeredBy": "arn:aws:iam::1:user/x",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::1:role/execution",
        "taskRoleArn": "arn:aws:iam::1:role/task",
        "volumes": [],
        "containerDefinitions": [
            deepcopy(api),
            {"name": "sidecar", "image": "sidecar:1", "cpu": 64, "memory": 128, "environment": []},
        ],
        "tags": [{"key": "managed-by", "value": "terraform"}],
    }


def declaration(*owns: str) -> Declaration:
    return Declaration(
        key="api", service_arn="arn:x", container="api", deployment_owns=frozenset({"image", *owns})
    )


def container(definition: dict[str, Any], name: str = "api") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in definition["containerDefinitions"] if one["name"] == name)
    return found


def variables(definition: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(definition)["environment"]}
