"""What preflights read where all is well, without AWS."""

from __future__ import annotations

from typing import Any

from environments.deployments.declarations import BlueGreen, Declaration
from portal.aws.alarms import AlarmState
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.secrets import Secret
from portal.aws.sessions import AccountAccess

ACCESS = AccountAccess(
    "aws", "333333333333", "arn:aws:iam::333333333333:role/gatehouse", "", "ap-northeast-2"
)
ROLE = "arn:aws:iam::333333333333:role/execution"
REGISTRY = "333333333333.dkr.ecr.ap-northeast-2.amazonaws.com"
DIGEST = "sha256:" + "ab" * 32
PRESENT = "sha256:" + "cd" * 32
SECRET = "arn:aws:secretsmanager:ap-northeast-2:333333333333:secret:db-AbCdEf"
RULE, BLUE, GREEN = "arn:rule", "arn:blue", "arn:green"
SHIFT = BlueGreen(BLUE, GREEN, RULE, "arn:aws:iam::333333333333:role/infrastructure")


def denied(action: str) -> AwsError:
    return AwsError(
        f"The permission {action} is missing: no", code="AccessDenied", permanent=True, action=action
    )


def image(**more: Any) -> Image:
    fields: dict[str, Any] = {
        "repository_uri": f"{REGISTRY}/triflow-api",
        "digest": DIGEST,
        "tags": ("v2",),
        "pushed_at": None,
        "size": None,
        "scan": {},
        "platforms": ("linux/amd64",),
    }
    return Image(**fields | more)


def definition(**more: Any) -> dict[str, Any]:
    container = {
        "name": "api",
        "image": f"{REGISTRY}/triflow-api@{DIGEST}",
        "secrets": [{"name": "DB", "valueFrom": f"{SECRET}:password::"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/api"}},
    } | more.pop("container", {})
    return {
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [container],
    } | more


def service_row(**more: Any) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "desiredCount": 2,
        "launchType": "FARGATE",
        "deployments": [{"id": "ecs-svc/1", "rolloutState": "COMPLETED"}],
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}},
    } | more


def declaration(**more: Any) -> Declaration:
    fields: dict[str, Any] = {"container": "api", "repository": "triflow-api", "alarms": ("5xx",)} | more
    return Declaration(key="api", service_arn="arn:api", **fields)


def secret(**more: Any) -> Secret:
    return Secret(**{"arn": SECRET, "versions": {"1": ("AWSCURRENT",)}, "deleted": False, "key": ""} | more)


def allowed(role: str, actions: Any, resources: Any) -> dict[tuple[str, str], str]:
    return {(action, resource): "allowed" for action in actions for resource in resources}


def alarm(state: str) -> dict[str, AlarmState]:
    return {"5xx": AlarmState("5xx", state, "", None)}


WELL: dict[str, Any] = {
    "image": lambda *args: image(),
    "condemned": {},
    "holds": True,
    "repository_has_policy": False,
    "trusted_services": lambda role: {"ecs.amazonaws.com", "ecs-tasks.amazonaws.com"},
    "decisions": allowed,
    "secret": lambda wanted: secret(),
    "secret_has_policy": False,
    "parameters": {},
    "log_group": True,
    "free_addresses": {"subnet-a": 100, "subnet-b": 100},
    "alarms": alarm("OK"),
    "listener_rules": {RULE: {BLUE}},
    "target_groups": {BLUE, GREEN},
}
