"""Rolling updates, by the clock of the test."""

import pytest

from portal.sandbox.ecs import staffing, timeline
from portal.sandbox.ecs.staffing import Counts
from tests.portal.sandbox.ecs.stage import Stage


def test_the_first_deployment_is_there_at_once() -> None:
    stage = Stage.with_service()
    assert stage.state.rollouts[0].status == "SUCCESSFUL"
    assert stage.definitions() == ["app:1", "app:1"]
    assert stage.state.good == stage.state.rollouts[0].target


def test_new_tasks_first_then_the_old_ones_go() -> None:
    stage = Stage.with_service()
    rollout = stage.deploy("app:2")
    assert (rollout.status, stage.definitions()) == ("IN_PROGRESS", ["app:1", "app:1"])
    stage.after(3)
    assert stage.definitions() == ["app:1", "app:1", "app:2", "app:2"]
    stage.after(1)
    assert stage.definitions() == ["app:2", "app:2"]
    assert rollout.status == "IN_PROGRESS"  # the old ones still drain
    stage.until_over(rollout)
    assert rollout.status == "SUCCESSFUL"
    assert stage.state.primary.rollout == "COMPLETED"
    assert "(service web) has reached a steady state." in stage.said()[0]


@pytest.mark.parametrize("look", [0.25, 1.0, 60.0])
def test_how_often_somebody_looks_changes_nothing(look: float) -> None:
    stage, other = Stage.with_service(desired=5), Stage.with_service(desired=5)
    percents = {"minimumHealthyPercent": 50, "maximumPercent": 100}
    stage.deploy("app:2", **percents)
    other.deploy("app:2", **percents)
    stage.to(1_060)
    while other.now < 1_060:
        other.after(look)
    assert stage.state.rollouts[0].finished == other.state.rollouts[0].finished
    assert {task.id: task.marks for task in stage.state.tasks.values()} == {
        task.id: task.marks for task in other.state.tasks.values()
    }


@pytest.mark.parametrize(
    ("minimum", "maximum", "least", "most"), [(100, 200, 4, 8), (50, 100, 2, 4), (100, 150, 4, 6)]
)
def test_the_percentages_hold_at_any_time(minimum: int, maximum: int, least: int, most: int) -> None:
    stage = Stage.with_service(desired=4)
    rollout = stage.deploy("app:2", minimumHealthyPercent=minimum, maximumPercent=maximum)
    seen = []
    while rollout.moving:
        stage.after(0.5)
        live = [task for task in stage.state.tasks.values() if timeline.is_wanted(task)]
        seen.append((stage.healthy(), len(live)))
        assert stage.now < 1_100
    assert rollout.status == "SUCCESSFUL"
    assert min(healthy for healthy, _ in seen) == least
    assert max(live for _, live in seen) == most


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (Counts(0, 0), Counts(2, 2), (2, 0)),
        (Counts(2, 1), Counts(2, 2), (0, 1)),
        (Counts(2, 2), Counts(2, 2), (0, 2)),
        (Counts(2, 0), Counts(2, 0), (0, 0)),
    ],
)
def test_what_to_start_and_stop(new: Counts, old: Counts, expected: tuple[int, int]) -> None:
    assert staffing.decide(2, 100, 200, new, old) == expected


def test_no_room_for_anything_leaves_all_as_it_is() -> None:
    assert staffing.decide(2, 100, 100, Counts(0, 0), Counts(2, 2)) == (0, 0)


def test_scaling_starts_and_stops_tasks_without_a_rollout() -> None:
    stage = Stage.with_service()
    stage.after(1)
    stage.state.desired = 4
    stage.after(0)
    assert stage.healthy() == 2
    stage.after(5)
    assert stage.healthy() == 4
    stage.state.desired = 1
    stage.after(0)
    assert stage.healthy() == 1
    assert len(stage.state.rollouts) == 1


def test_a_task_that_dies_is_replaced() -> None:
    stage = Stage.with_service()
    victim = next(iter(stage.state.tasks.values()))
    timeline.end(victim, stage.now, code="UserInitiated", reason="by hand", exit_code=0)
    stage.after(10)
    assert stage.healthy() == 2
    assert timeline.status_at(victim, stage.now) == "STOPPED"


def test_stopped_tasks_are_known_for_an_hour() -> None:
    stage = Stage.with_service()
    rollout = stage.deploy("app:2")
    stage.until_over(rollout)
    stage.after(3_500)
    assert len(stage.state.tasks) == 4
    stage.after(200)
    assert len(stage.state.tasks) == 2
    assert [found.definition for found in stage.state.deployments] == ["app:2"]


def test_no_free_address_is_said_once_and_tried_again() -> None:
    stage = Stage.with_service()
    stage.world.room = 2
    rollout = stage.deploy("app:2")
    stage.after(30)
    assert sum("RESOURCE:ENI" in said for said in stage.said()) == 1
    assert rollout.status == "IN_PROGRESS"
    stage.world.room = 10
    stage.until_over(rollout)
    assert stage.definitions() == ["app:2", "app:2"]


def test_a_newer_rollout_stops_the_one_under_way() -> None:
    stage = Stage.with_service()
    first = stage.deploy("app:2")
    stage.after(1)
    second = stage.deploy("app:3")
    assert first.status == "STOPPED"
    stage.until_over(second)
    assert stage.definitions() == ["app:3", "app:3"]


def test_a_hundred_tasks() -> None:
    stage = Stage.with_service(desired=100)
    rollout = stage.deploy("app:2", maximumPercent=120)
    stage.until_over(rollout)
    assert stage.definitions() == ["app:2"] * 100
