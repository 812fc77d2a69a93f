"""Restart and scale."""

from __future__ import annotations

from environments.changes.lifecycle import Status
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, told


def test_a_restart_replaces_every_task_with_the_same_revision(
    scene: Scene, tenant: Tenant, asked: Asked
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    before = {task["taskArn"] for task in place.tasks("api")}
    change = scene.drive(approved(place, act="restart"))
    assert change.status == Status.SUCCEEDED, told(change)
    (update,) = asked.of("update_service")
    assert update["forceNewDeployment"] is True
    assert update["taskDefinition"] == place.services["api"].task_definition_arn
    assert not before & {task["taskArn"] for task in place.tasks("api")}
    assert not asked.of("register_task_definition")


def test_scaling_moves_bounds_and_count_and_deploys_nothing(
    scene: Scene, tenant: Tenant, asked: Asked
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = scene.drive(approved(place, act="scale", wanted={"desired": 3, "minimum": 2}))
    assert change.status == Status.SUCCEEDED, told(change)
    (update,) = asked.of("update_service")
    assert {name: update[name] for name in update if name not in ("cluster", "service")} == {
        "desiredCount": 3
    }
    (bounds,) = asked.of("register_scalable_target")
    assert (bounds["MinCapacity"], bounds["MaxCapacity"]) == (2, 4)
    assert place.described("api")["runningCount"] == 3
    assert part_of(change).previous_scaling == {"desired": 1, "minimum": 1, "maximum": 4}
    assert len(place.described("api")["deployments"]) == 1
