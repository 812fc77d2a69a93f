"""Blue/green, canary and linear: stages, weights, both revisions, and back."""

from typing import Any

import pytest

from portal.sandbox.ecs import rollouts
from portal.sandbox.ecs.state import Rollout
from tests.portal.sandbox.ecs.stage import ALARMS, BREAKER, Stage

PRODUCTION = "rule/production"
STAGES = [
    "RECONCILE_SERVICE",
    "SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
]


def watched(stage: Stage, rollout: Rollout) -> tuple[list[str], list[dict[str, int]]]:
    """The stages and production's weights, in the order in which they were seen."""
    stages: list[str] = []
    weights: list[dict[str, int]] = []
    while rollout.moving:
        stage.after(0.25)
        seen = stage.world.weights.get(PRODUCTION)
        if rollout.stage and rollout.stage not in stages[-1:]:
            stages.append(rollout.stage)
        if seen and seen not in weights[-1:]:
            weights.append(seen)
        assert stage.now < 1_400, (rollout.stage, weights)
    return stages, weights


def test_blue_green_goes_through_its_stages() -> None:
    stage = Stage.with_service(strategy="BLUE_GREEN", bakeTimeInMinutes=2)
    rollout = stage.deploy("app:2")
    stages, weights = watched(stage, rollout)
    assert stages == STAGES
    assert weights == [{"tg/blue": 0, "tg/green": 100}]
    assert rollout.status == "SUCCESSFUL"
    assert rollout.finished is not None
    assert rollout.finished - rollout.created > 20  # two minutes of bake
    assert stage.definitions() == ["app:2", "app:2"]


def test_both_run_through_the_bake_and_the_next_one_goes_to_blue() -> None:
    stage = Stage.with_service(strategy="BLUE_GREEN", bakeTimeInMinutes=2)
    rollout = stage.deploy("app:2")
    while rollout.stage != "BAKE_TIME":
        stage.after(0.5)
    assert stage.definitions() == ["app:1", "app:1", "app:2", "app:2"]
    groups = {task.definition: task.groups[0][0] for task in stage.state.tasks.values()}
    assert groups == {"app:1": "tg/blue", "app:2": "tg/green"}
    stage.until_over(rollout)
    stage.until_over(stage.deploy("app:3"))
    assert stage.world.weights[PRODUCTION] == {"tg/blue": 100, "tg/green": 0}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 5}}, [5, 100]),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40}}, [40, 80, 100]),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepBakeTimeInMinutes": 1}}, [*range(10, 101, 10)]),
    ],
)
def test_traffic_moves_in_parts(configuration: dict[str, Any], expected: list[int]) -> None:
    stage = Stage.with_service(**configuration)
    rollout = stage.deploy("app:2")
    _, weights = watched(stage, rollout)
    assert [found["tg/green"] for found in weights] == expected
    assert all(sum(found.values()) == 100 for found in weights)
    assert rollout.status == "SUCCESSFUL"


@pytest.mark.parametrize("at", ["SCALE_UP", "BAKE_TIME", "CLEAN_UP"])
def test_back_from_any_stage(at: str) -> None:
    stage = Stage.with_service(strategy="BLUE_GREEN", bakeTimeInMinutes=2)
    rollout = stage.deploy("app:2")
    while rollout.stage != at:
        stage.after(0.25)
    rollouts.request_rollback(stage.state, rollout, stage.now, "by hand")
    stage.until_over(rollout)
    assert rollout.status == "ROLLBACK_SUCCESSFUL"
    assert stage.world.weights[PRODUCTION] == {"tg/blue": 100, "tg/green": 0}
    assert stage.definitions() == ["app:1", "app:1"]
    stage.until_over(stage.deploy("app:3"))
    assert stage.world.weights[PRODUCTION] == {"tg/blue": 0, "tg/green": 100}


def test_an_alarm_takes_the_traffic_back_at_once() -> None:
    stage = Stage.with_service(**ALARMS, strategy="BLUE_GREEN", bakeTimeInMinutes=3)
    rollout = stage.deploy("alarm-in-bake:2")
    _, weights = watched(stage, rollout)
    assert [found["tg/green"] for found in weights] == [100, 0]
    assert (rollout.status, rollout.triggered) == ("ROLLBACK_SUCCESSFUL", ["errors"])


def test_green_that_never_gets_healthy_gets_no_traffic() -> None:
    stage = Stage.with_service(**BREAKER, strategy="BLUE_GREEN")
    rollout = stage.deploy("never-healthy:2")
    _, weights = watched(stage, rollout)
    assert rollout.status == "ROLLBACK_SUCCESSFUL"
    assert all(found["tg/green"] == 0 for found in weights)


def test_a_newer_rollout_gives_the_traffic_back_first() -> None:
    stage = Stage.with_service(strategy="CANARY")
    rollout = stage.deploy("app:2")
    while rollout.stage != "PRODUCTION_TRAFFIC_SHIFT":
        stage.after(0.25)
    newer = stage.deploy("app:3")
    assert stage.world.weights[PRODUCTION]["tg/green"] == 0
    stage.until_over(newer, within=400)
    assert stage.definitions() == ["app:3", "app:3"]
