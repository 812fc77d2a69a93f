"""The rows that the portal has of an environment after its apply: inventory and outputs."""

from __future__ import annotations

import json
from typing import Any

from environments.models import Environment, Resource
from environments.runs.models import Output
from tests.environments.deployments.building import REGION, Built, BuiltService

OWNED = ["image", "cpu", "memory", "environment.LOG_LEVEL", "environment.FEATURE_*", "environment.EXTRA"]


def write(environment: Environment, built: Built, **declared: Any) -> dict[str, Any]:
    """Resources and the output "deployments"; returns the output's value. `declared`: see `declare`."""
    rows = [*_shared(environment, built)]
    for service in built.services.values():
        rows += _of_service(environment, built, service)
    Resource.objects.bulk_create(rows)
    return declare(environment, built, **declared)


def declare(environment: Environment, built: Built, **every: Any) -> dict[str, Any]:
    """Write the output "deployments" (again); `every` adds to, or replaces parts of, each service's declaration."""
    value = {
        key: {**declaration(built, service, order), **every}
        for order, (key, service) in enumerate(built.services.items(), 1)
    }
    Output.objects.update_or_create(
        environment=environment, name="deployments", defaults={"type": "dynamic", "value": value}
    )
    return value


def declaration(built: Built, service: BuiltService, order: int) -> dict[str, Any]:
    """One service as a blueprint declares it: every strategy, its alarms, no checks, no bake, no task before."""
    return {
        "service_arn": service.arn,
        "container": service.container,
        "repository": service.repository,
        "task_definition": service.task_definition_arn,
        "deployment_owns": OWNED,
        "order": order,
        "strategies": ["rolling", "blue_green", "canary", "linear"],
        "blue_green": {
            "target_group_arn": service.target_group_arn,
            "alternate_target_group_arn": service.alternate_target_group_arn,
            "production_listener_rule_arn": service.listener_rule_arn,
            "test_listener_rule_arn": None,
            "role_arn": built.infrastructure_role_arn,
        },
        "alarms": service.alarms,
        "bake_minutes": 0,
        "before": None,
        "checks": [],
    }


def _row(environment: Environment, address: str, id: str, arn: str = "", **attributes: Any) -> Resource:
    module, _dot, rest = address.rpartition(".aws_")
    type_, _dot, name = f"aws_{rest}".partition(".")
    return Resource(
        environment=environment,
        address=address,
        module=module,
        type=type_,
        name=name,
        provider_id=id,
        arn=arn,
        region=REGION,
        attributes={"id": id, **({"arn": arn} if arn else {}), **attributes},
    )


def _shared(environment: Environment, built: Built) -> list[Resource]:
    found = [
        _row(environment, "module.network.aws_vpc.this", built.vpc_id),
        _row(environment, "module.security_groups.aws_security_group.ecs", built.security_group_id),
        _row(
            environment,
            "module.load_balancer.aws_lb.this",
            built.load_balancer_arn,
            built.load_balancer_arn,
            dns_name=built.load_balancer_dns,
        ),
        _row(
            environment,
            "module.load_balancer.aws_lb_listener.http",
            built.listener_arn,
            built.listener_arn,
            port=80,
        ),
        _row(
            environment,
            "module.cluster.aws_ecs_cluster.this",
            built.cluster_arn,
            built.cluster_arn,
            name=built.cluster_name,
        ),
    ]
    found += [
        _row(environment, f'module.network.aws_subnet.private["{zone}"]', subnet)
        for zone, subnet in zip("ac", built.subnet_ids, strict=True)
    ]
    roles = (built.execution_role_arn, built.task_role_arn, built.infrastructure_role_arn)
    found += [
        _row(
            environment,
            f'module.task_roles.aws_iam_role.this["{name}"]',
            arn.rpartition("/")[2],
            arn,
            name=arn.rpartition("/")[2],
        )
        for name, arn in zip(("execution", "task", "infrastructure"), roles, strict=True)
    ]
    return found


def _of_service(environment: Environment, built: Built, service: BuiltService) -> list[Resource]:
    inside = f'module.service["{service.key}"]'
    # As the provider keeps it: an aws_ecs_service has its ARN as id and no attribute "arn".
    found = [
        _row(
            environment,
            f"{inside}.aws_ecs_service.this",
            service.arn,
            cluster=built.cluster_arn,
            name=service.name,
            task_definition=service.task_definition_arn,
            launch_type="FARGATE",
            desired_count=2,
        ),
        _row(
            environment,
            f"{inside}.aws_ecs_task_definition.this",
            service.family,
            service.task_definition_arn,
            family=service.family,
            revision=int(service.task_definition_arn.rpartition(":")[2]),
            cpu=service.definition["cpu"],
            memory=service.definition["memory"],
            execution_role_arn=built.execution_role_arn,
            task_role_arn=built.task_role_arn,
            container_definitions=json.dumps(service.definition["containerDefinitions"]),
        ),
        _row(
            environment,
            f"{inside}.aws_ecr_repository.this",
            service.repository,
            name=service.repository,
            repository_url=service.repository_uri,
        ),
        _row(
            environment, f"{inside}.aws_cloudwatch_log_group.this", service.log_group, name=service.log_group
        ),
        _row(
            environment,
            f"{inside}.aws_secretsmanager_secret.this",
            service.secret_arn,
            service.secret_arn,
            name=service.secret_name,
        ),
        _row(
            environment,
            f"{inside}.aws_lb_listener_rule.this",
            service.listener_rule_arn,
            service.listener_rule_arn,
        ),
        _row(
            environment,
            f"{inside}.aws_appautoscaling_target.this",
            f"service/{built.cluster_name}/{service.name}",
            min_capacity=1,
            max_capacity=5,
        ),
    ]
    groups = {"blue": service.target_group_arn, "green": service.alternate_target_group_arn}
    found += [
        _row(environment, f'{inside}.aws_lb_target_group.this["{colour}"]', arn, arn)
        for colour, arn in groups.items()
    ]
    found += [
        _row(environment, f'{inside}.aws_cloudwatch_metric_alarm.this["{name}"]', name, alarm_name=name)
        for name in service.alarms
    ]
    return found
