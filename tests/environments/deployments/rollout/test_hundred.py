"""A service of more tasks than one answer holds."""

from __future__ import annotations

from environments.changes.lifecycle import Status
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, told


def test_every_one_of_120_tasks_is_proven(scene: Scene, tenant: Tenant, asked: Asked) -> None:
    place = scene.environment(tenant, services=("api",), desired=120)
    change = scene.drive(approved(place), seconds=60)
    assert change.status == Status.SUCCEEDED, told(change)
    assert "120" in change.transitions.get(to_status=Status.SUCCEEDED).note
    progress = part_of(change).progress
    assert progress["new"]["running"] == 120
    assert sum(task["new"] for task in progress["tasks"]) == 120
    assert max(len(call["tasks"]) for call in asked.of("describe_tasks")) == 100
