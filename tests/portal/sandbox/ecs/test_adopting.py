"""Services of a sandbox from before it knew rollouts run on as they were."""

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend

from portal.sandbox.ecs import services, timeline

GONE = "660000000000.dkr.ecr.ap-northeast-2.amazonaws.com/shop/api:gone"
CONTAINERS: list[dict[str, Any]] = [{"name": "app", "image": GONE, "memory": 128}]


def test_an_older_service_runs_on_under_its_deployments_id() -> None:
    backend = EC2ContainerServiceBackend("ap-northeast-2", "660000000000")
    backend.create_cluster("main")
    backend.register_task_definition("app", CONTAINERS)
    made = backend.create_service("main", "web", 2, "app:1")
    number = made.deployments[0]["id"]
    with services.caught_up(backend) as states:
        state = states[made.arn]
        assert [timeline.is_running(task, state.clock) for task in state.tasks.values()] == [True, True]
        assert {task.deployment for task in state.tasks.values()} == {number}
        services.project(made)
    assert made.deployments[0]["id"] == number
    assert made.deployments[0]["rolloutState"] == "COMPLETED"


def test_a_service_that_others_deploy_has_no_rollouts() -> None:
    backend = EC2ContainerServiceBackend("ap-northeast-2", "660000000001")
    backend.create_cluster("main")
    backend.register_task_definition("app", CONTAINERS)
    made = backend.create_service("main", "web", 2, "app:1", deployment_controller={"type": "EXTERNAL"})
    with services.caught_up(backend) as states:
        assert states[made.arn].tasks == {}
