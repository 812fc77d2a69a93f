"""ECS's own strategies that move traffic: what they are told, and that they come through."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes.lifecycle import Status
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, told

STRATEGIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("blue_green", {}, {}),
    (
        "canary",
        {"canary_percent": 20, "canary_bake_minutes": 1},
        {"canaryConfiguration": {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1}},
    ),
    (
        "linear",
        {"step_percent": 50, "step_bake_minutes": 1},
        {"linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 1}},
    ),
]


@pytest.mark.usefixtures("short_minutes")
@pytest.mark.parametrize(("strategy", "options", "told_to_ecs"), STRATEGIES)
def test_traffic_moves_and_the_other_group_is_named(
    scene: Scene,
    tenant: Tenant,
    asked: Asked,
    strategy: str,
    options: dict[str, Any],
    told_to_ecs: dict[str, Any],
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    service = place.services["api"]
    change = scene.drive(approved(place, strategy=strategy, strategy_options=options))
    assert change.status == Status.SUCCEEDED, told(change)
    (update,) = asked.of("update_service")
    configuration = update["deploymentConfiguration"]
    assert configuration["strategy"] == strategy.upper()
    assert {name: configuration.get(name) for name in told_to_ecs} == told_to_ecs
    assert configuration["bakeTimeInMinutes"] == 0
    (balancer,) = update["loadBalancers"]
    assert balancer["targetGroupArn"] == service.target_group_arn
    assert balancer["advancedConfiguration"] == {
        "alternateTargetGroupArn": service.alternate_target_group_arn,
        "productionListenerRule": service.listener_rule_arn,
        "roleArn": place.built.infrastructure_role_arn,
    }
    assert part_of(change).progress["traffic"] == {"new_percent": 100.0}
    assert {task["containers"][0]["imageDigest"] for task in place.tasks("api")} == {service.digests["v2"]}
