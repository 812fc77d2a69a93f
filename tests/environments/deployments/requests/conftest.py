"""Environments with services by their rows alone: asking needs no AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from environments.models import AwsAccount, Environment, Resource, Tenant
from environments.runs.models import Output

REGION = "ap-northeast-2"
CLUSTER = f"arn:aws:ecs:{REGION}:210000000002:cluster/main"
BLUE_GREEN = {
    "target_group_arn": "arn:blue",
    "alternate_target_group_arn": "arn:green",
    "production_listener_rule_arn": "arn:rule",
    "role_arn": "arn:aws:iam::210000000002:role/ecs",
}


def service_arn(name: str) -> str:
    return f"arn:aws:ecs:{REGION}:210000000002:service/main/{name}"


@dataclass
class Crafted:
    """An environment whose inventory holds services `<slug>-api` and `<slug>-ws`."""

    environment: Environment

    @property
    def pages(self) -> str:
        return f"/environments/{self.environment.tenant.slug}/{self.environment.slug}/deployments"

    @property
    def api(self) -> str:
        return f"/api/v1/environments/{self.environment.key}"

    def name(self, key: str) -> str:
        return f"{self.environment.slug}-{key}"

    def arn(self, key: str) -> str:
        return service_arn(self.name(key))


def craft(tenant: Tenant, slug: str, keys: tuple[str, ...] = ("api", "ws"), **declared: Any) -> Crafted:
    account = AwsAccount.objects.create(
        tenant=tenant, name=slug, account_id="210000000002", kind=AwsAccount.Kind.SANDBOX
    )
    environment = Environment.objects.create(
        tenant=tenant, slug=slug, name=slug, environment_class=slug, account=account, region=REGION
    )
    made = Crafted(environment)
    for key in keys:
        Resource.objects.create(
            environment=environment,
            address=f'module.service["{key}"].aws_ecs_service.this',
            type="aws_ecs_service",
            name="this",
            provider_id=made.arn(key),
            region=REGION,
            attributes={"cluster": CLUSTER, "name": made.name(key), "launch_type": "FARGATE"},
        )
    value = {
        key: {
            "service_arn": made.arn(key),
            "container": key,
            "repository": f"triflow-{key}",
            "deployment_owns": ["image", "cpu", "memory", "environment.LOG_LEVEL"],
            "order": order,
            "strategies": ["rolling", "canary"] if key == "api" else ["rolling"],
            "blue_green": BLUE_GREEN if key == "api" else None,
            "before": {"name": "migrate", "command": ["alembic", "upgrade", "head"]}
            if key == "api"
            else None,
            **declared,
        }
        for order, key in enumerate(keys, 1)
    }
    Output.objects.create(environment=environment, name="deployments", type="dynamic", value=value)
    return made


@pytest.fixture
def place(tenant: Tenant) -> Crafted:
    return craft(tenant, "production")


@pytest.fixture
def staging(tenant: Tenant) -> Crafted:
    return craft(tenant, "staging")
