"""What a deployment does to an environment that Terraform built, with plain calls; and what a run does afterwards."""

from __future__ import annotations

import json
import time
from typing import Any

from environments.deployments import declarations
from environments.deployments.declarations import Declaration
from environments.deployments.proposal.rendering import Wanted, render
from portal.aws.task_definitions import registrable
from portal.sandbox.testing import RunningSandbox
from tests.environments.deployments.building import REGION, control
from tests.terraform.conftest import Workspace

Clients = dict[str, Any]


def declared(workspace: Workspace, folder: str, env: dict[str, str]) -> dict[str, Declaration]:
    """The services that the blueprint declares, as the portal reads them, by their short names."""
    outputs = json.loads(workspace.run(folder, "output", "-json", env=env))
    found = declarations.read(outputs[declarations.OUTPUT]["value"])
    assert [service.problems for service in found.values()] == [()] * len(found)
    return {service.key: service for service in found.values()}


def push(sandbox: RunningSandbox, account: str, service: Declaration) -> dict[str, str]:
    """The demonstration's images in the service's repository: tag -> digest."""
    asked = {"account": account, "region": REGION, "repository": service.repository}
    return dict(control(sandbox, "/sandbox/ecr/images", **asked)["images"])


def deploy(clients: Clients, service: Declaration, image: str) -> str:
    """Blue/green to this image, with one task more; returns the revision that runs when ECS is done."""
    ecs, groups = clients["ecs"], service.blue_green
    assert groups is not None
    before = running(clients, service)
    definition = described(clients, before["taskDefinition"])
    rendered = render(definition, definition, service, service.container, Wanted(image=image))
    revision: str = ecs.register_task_definition(**registrable(rendered))["taskDefinition"][
        "taskDefinitionArn"
    ]
    advanced = {
        "alternateTargetGroupArn": groups.alternate_target_group_arn,
        "productionListenerRule": groups.production_listener_rule_arn,
        "roleArn": groups.role_arn,
    }
    (balancer,) = before["loadBalancers"]
    ecs.update_service(
        cluster=before["clusterArn"],
        service=service.service_arn,
        taskDefinition=revision,
        desiredCount=before["desiredCount"] + 1,
        loadBalancers=[{**balancer, "advancedConfiguration": advanced}],
        deploymentConfiguration={
            "strategy": "BLUE_GREEN",
            "bakeTimeInMinutes": 1,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "alarms": {"alarmNames": list(service.alarms), "enable": True, "rollback": True},
        },
    )
    _wait(clients, service, revision)
    return revision


def _wait(clients: Clients, service: Declaration, revision: str) -> None:
    """Until ECS has brought the deployment of this revision to a good end."""
    ecs, cluster = clients["ecs"], service.service_arn.split("/")[-2]
    deadline = time.monotonic() + 90
    while True:
        listed = ecs.list_service_deployments(cluster=cluster, service=service.service_arn)
        newest = listed["serviceDeployments"][0]
        if newest["status"] == "SUCCESSFUL" and running(clients, service)["taskDefinition"] == revision:
            return
        moves = newest["status"] in ("PENDING", "IN_PROGRESS", "SUCCESSFUL")
        assert moves and time.monotonic() < deadline, newest
        time.sleep(0.1)


def scale(clients: Clients, service: Declaration) -> None:
    """Other bounds, as the portal's "scale" sets them."""
    resource = "service/" + "/".join(service.service_arn.split("/")[-2:])
    clients["application-autoscaling"].register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=resource,
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=3,
        MaxCapacity=7,
    )


def running(clients: Clients, service: Declaration) -> dict[str, Any]:
    """The service as ECS describes it."""
    cluster = service.service_arn.split("/")[-2]
    (found,) = clients["ecs"].describe_services(cluster=cluster, services=[service.service_arn])["services"]
    return dict(found)


def described(clients: Clients, revision: str) -> dict[str, Any]:
    return dict(clients["ecs"].describe_task_definition(taskDefinition=revision)["taskDefinition"])


def weights(clients: Clients, service: Declaration) -> dict[str, int]:
    """Target group ARN -> its share of the requests."""
    assert service.blue_green is not None
    rules = clients["elbv2"].describe_rules(RuleArns=[service.blue_green.production_listener_rule_arn])[
        "Rules"
    ]
    groups = rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: int(group["Weight"]) for group in groups}
