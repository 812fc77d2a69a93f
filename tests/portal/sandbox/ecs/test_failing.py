"""Rollouts that go wrong: circuit breaker, deployment alarms, stopping, and the way back."""

from typing import Any

import pytest

from portal.sandbox.ecs import rollouts, timeline
from tests.portal.sandbox.ecs.stage import ALARMS, BREAKER, Stage


@pytest.mark.parametrize(
    ("fault", "code", "exit_code", "words"),
    [
        (
            "never-healthy",
            "ServiceSchedulerInitiated",
            143,
            "Task failed ELB health checks in (target-group ",
        ),
        ("oom", "EssentialContainerExited", 137, "Essential container in task exited"),
        ("cannot-pull", "TaskFailedToStart", None, "CannotPullContainerError"),
    ],
)
def test_the_breaker_brings_back_what_ran(fault: str, code: str, exit_code: int | None, words: str) -> None:
    stage = Stage.with_service(**BREAKER)
    good = stage.state.good
    rollout = stage.deploy(f"{fault}:2")
    while rollout.moving:
        stage.after(0.5)
        assert stage.healthy() >= 2
        assert stage.now < 1_200
    assert rollout.status == "ROLLBACK_SUCCESSFUL"
    assert (rollout.breaker, rollout.rollback["serviceRevisionArn"]) == ("TRIGGERED", good)
    assert rollout.failures >= 3
    assert stage.definitions() == ["app:1", "app:1"]
    assert stage.state.definition == "app:1"
    failed = [task for task in stage.state.tasks.values() if task.definition == f"{fault}:2"]
    assert {task.stop_code for task in failed} == {code}
    assert {task.exit_code for task in failed} == {exit_code}
    assert all(words in task.stopped_reason for task in failed)


def test_without_rollback_the_failed_rollout_stands() -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    stage = Stage.with_service(**breaker)
    rollout = stage.deploy("oom:2")
    stage.until_over(rollout)
    assert (rollout.status, stage.state.primary.rollout) == ("STOPPED", "FAILED")
    begun = len(stage.state.tasks)
    stage.after(300)
    assert len(stage.state.tasks) == begun  # a failed deployment starts no further tasks
    assert stage.definitions() == ["app:1", "app:1"]


def test_without_a_breaker_it_goes_on_ever_more_slowly() -> None:
    stage = Stage.with_service()
    rollout = stage.deploy("cannot-pull:2")
    stage.after(60)
    early = len(stage.state.tasks)
    stage.after(600)
    assert rollout.status == "IN_PROGRESS"
    assert len(stage.state.tasks) < early * 3
    assert sum("unable to consistently start" in said for said in stage.said()) == 1


def test_a_first_deployment_has_nothing_to_go_back_to() -> None:
    stage = Stage.with_service(desired=0, **BREAKER)
    stage.state.good, stage.state.desired = "", 2
    rollout = stage.deploy("oom:1")
    stage.until_over(rollout)
    assert rollout.status == "ROLLBACK_FAILED"
    assert "No rollback candidate" in rollout.reason


def test_a_rollback_whose_tasks_fail_too_has_failed() -> None:
    stage = Stage.with_service(**BREAKER)
    rollout = stage.deploy("app:2")
    stage.after(1)
    stage.world.switch = ("oom", stage.now + 0.1)
    stage.until_over(rollout)
    assert rollout.status == "ROLLBACK_FAILED"


@pytest.mark.parametrize(
    ("desired", "configured", "expected"),
    [
        (1, {}, 3),
        (20, {}, 10),
        (1_000, {}, 200),
        (20, {"type": "COUNT", "value": 1}, 1),
        (10, {"type": "UNBOUNDED_PERCENT", "value": 10}, 1),
        (20, {"type": "BOUNDED_PERCENT", "value": 100}, 20),
    ],
)
def test_thresholds(desired: int, configured: dict[str, Any], expected: int) -> None:
    breaker = {"enable": True, "rollback": True} | (
        {"thresholdConfiguration": configured} if configured else {}
    )
    stage = Stage.with_service(desired=desired, deploymentCircuitBreaker=breaker)
    assert rollouts.threshold(stage.state, stage.state.rollouts[0]) == expected


def test_an_alarm_in_the_bake_brings_it_back_and_falls_silent() -> None:
    stage = Stage.with_service(**ALARMS)
    rollout = stage.deploy("alarm-in-bake:2")
    stage.after(7)
    assert rollout.stage == "BAKE_TIME"
    stage.until_over(rollout)
    assert (rollout.status, rollout.alarms) == ("ROLLBACK_SUCCESSFUL", "TRIGGERED")
    assert rollout.triggered == ["errors"]
    assert stage.definitions() == ["app:1", "app:1"]
    assert stage.world.alarms == {}


def test_without_deployment_alarms_the_alarm_comes_after_the_success() -> None:
    stage = Stage.with_service()
    rollout = stage.deploy("alarm-in-bake:2")
    stage.until_over(rollout)
    stage.after(5)
    assert rollout.status == "SUCCESSFUL"
    assert "errors" in stage.world.alarms
    stage.until_over(stage.deploy("app:1"))
    assert stage.world.alarms == {}


def test_the_switch_is_for_what_is_deployed_after_it() -> None:
    stage = Stage.with_service()
    stage.after(50)
    stage.world.switch = ("alarm-in-bake", stage.now)
    stage.after(50)
    assert stage.world.alarms == {}
    rollout = stage.deploy("app:2")
    stage.until_over(rollout)
    stage.after(5)
    assert "errors" in stage.world.alarms


def test_an_alarm_that_fires_already_is_left_out() -> None:
    stage = Stage.with_service(**ALARMS)
    stage.world.alarms["slow"] = 900.0
    rollout = stage.deploy("app:2")
    stage.until_over(rollout)
    assert (rollout.status, rollout.alarms) == ("SUCCESSFUL", "DISABLED")


def test_an_alarm_from_outside_counts_from_its_own_time() -> None:
    stage = Stage.with_service(**ALARMS)
    rollout = stage.deploy("app:2")
    stage.world.alarms["slow"] = stage.now + 2
    stage.after(1)
    assert rollout.status == "IN_PROGRESS"
    stage.until_over(rollout)
    assert rollout.rollback["startedAt"] == 1_002


def test_stopping_goes_back() -> None:
    stage = Stage.with_service()
    rollout = stage.deploy("app:2")
    stage.after(3.5)
    rollouts.request_rollback(stage.state, rollout, stage.now, "by hand", delay=0.5)
    stage.after(0.1)
    assert rollout.status == "ROLLBACK_REQUESTED"
    stage.after(1)
    assert rollout.status == "ROLLBACK_IN_PROGRESS"
    stage.until_over(rollout)
    assert rollout.status == "ROLLBACK_SUCCESSFUL"
    assert stage.definitions() == ["app:1", "app:1"]


def test_a_switch_fells_running_tasks_until_it_is_off() -> None:
    stage = Stage.with_service()
    stage.after(10)
    stage.world.switch = ("never-healthy", stage.now + 0.1)
    stage.after(1.5)
    states = {timeline.target_state(task, stage.now) for task in stage.state.tasks.values()}
    assert {seen[0] for seen in states if seen} == {"unhealthy"}
    stage.after(5)
    assert stage.healthy() == 0
    stage.world.switch = ("", 0.0)
    stage.after(60)
    assert stage.healthy() == 2
