"""ECS services say what they were given and reach steady state."""

from typing import Any

import pytest

from tests.portal.sandbox.conftest import ClientMaker

CONTAINER = {"name": "app", "image": "example:1", "memory": 128}


@pytest.fixture
def ecs(client: ClientMaker, request: pytest.FixtureRequest) -> Any:
    """A client in an account that has a cluster and one task definition, "app:1"."""
    made = client("ecs", account=f"3{abs(hash(request.node.name)) % 10**11:011d}")
    made.create_cluster(clusterName="main")
    made.register_task_definition(family="app", containerDefinitions=[CONTAINER])
    return made


def created(ecs: Any, **settings: Any) -> Any:
    ecs.create_service(cluster="main", serviceName="web", taskDefinition="app:1", desiredCount=2, **settings)
    return described(ecs)


def described(ecs: Any) -> Any:
    return ecs.describe_services(cluster="main", services=["web"])["services"][0]


def test_settings_come_back(ecs: Any) -> None:
    service = created(
        ecs,
        enableExecuteCommand=True,
        healthCheckGracePeriodSeconds=45,
        availabilityZoneRebalancing="ENABLED",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    assert service["enableExecuteCommand"] is True
    assert service["healthCheckGracePeriodSeconds"] == 45
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    assert "networkConfiguration" not in service


def test_a_service_is_steady_at_once(ecs: Any) -> None:
    service = created(ecs)
    assert (service["runningCount"], service["pendingCount"], service["desiredCount"]) == (2, 0, 2)
    (deployment,) = service["deployments"]
    assert deployment["rolloutState"] == "COMPLETED"
    assert deployment["runningCount"] == 2
    cluster = ecs.describe_clusters(clusters=["main"])["clusters"][0]
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (2, 0)
    ecs.get_waiter("services_stable").wait(cluster="main", services=["web"], WaiterConfig={"MaxAttempts": 1})


def test_a_new_task_definition_is_a_new_deployment(ecs: Any) -> None:
    before = created(ecs)
    ecs.register_task_definition(family="app", containerDefinitions=[{**CONTAINER, "image": "example:2"}])
    ecs.update_service(cluster="main", service="web", taskDefinition="app:2", desiredCount=3)
    after = described(ecs)
    assert after["taskDefinition"] == before["taskDefinition"].replace("app:1", "app:2")
    assert after["taskDefinition"].startswith("arn:aws:ecs:")
    new, old = after["deployments"]
    assert (new["taskDefinition"], new["status"]) == (after["taskDefinition"], "PRIMARY")
    assert (old["id"], old["status"]) == (before["deployments"][0]["id"], "ACTIVE")
    assert new["id"] != old["id"]
    assert (new["desiredCount"], new["runningCount"], new["pendingCount"]) == (3, 0, 3)
    assert (new["rolloutState"], old["runningCount"]) == ("IN_PROGRESS", 2)


def test_scaling_and_settings_are_no_new_deployment(ecs: Any) -> None:
    before = created(ecs)
    ecs.update_service(
        cluster="main",
        service="web",
        desiredCount=1,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    )
    after = described(ecs)
    assert after["deployments"][0]["id"] == before["deployments"][0]["id"]
    assert after["runningCount"] == 1
    assert after["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"] is True
    cluster = ecs.describe_clusters(clusters=["main"])["clusters"][0]
    assert cluster["runningTasksCount"] == 1
