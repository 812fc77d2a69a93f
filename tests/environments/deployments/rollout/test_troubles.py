"""AWS away or unwilling, rollouts and tasks that never end, and secrets in their last words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from environments.changes import execution
from environments.changes.lifecycle import Status
from environments.changes.log import read
from environments.deployments.models import Outcome, Step
from environments.deployments.rollout import troubles
from environments.models import Tenant
from portal.accounts.principals import worker
from portal.aws import ecs
from portal.aws.errors import AwsError
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.rollout.test_interrupted import work_until
from tests.environments.deployments.scene import Scene, fresh, told


def refusing(monkeypatch: pytest.MonkeyPatch, operation: str, *, permanent: bool) -> None:
    def refuse(*given: Any, **named: Any) -> Any:
        raise AwsError("no such luck", code="Nope", permanent=permanent, hint="mend it")

    monkeypatch.setattr(ecs, operation, refuse)


def test_a_refusal_before_anything_was_touched_ends_it_at_once(
    scene: Scene, tenant: Tenant, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    refusing(monkeypatch, "register", permanent=True)
    change = scene.drive(approved(place))
    assert (change.status, change.error_hint) == (Status.FAILED, "mend it")
    assert "no such luck" in change.error_message
    assert "it was not touched" in change.error_message
    assert part_of(change).outcome == Outcome.UNTOUCHED


def test_an_update_that_aws_refuses_touches_nothing(
    scene: Scene, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    refusing(monkeypatch, "update_service", permanent=True)
    change = scene.drive(approved(place))
    assert (change.status, change.error_hint) == (Status.FAILED, "mend it")
    assert part_of(change).outcome == Outcome.UNTOUCHED


def test_aws_that_is_away_is_asked_again_and_given_up_at_last(
    scene: Scene, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = approved(place, "slow-start")
    change = work_until(change, lambda: part_of(change).step == Step.WATCHING)
    with monkeypatch.context() as away:
        refusing(away, "describe_service_deployments", permanent=False)
        refusing(away, "describe_services", permanent=False)
        for _visit in range(3):
            execution.advance(str(change.uuid), by=worker("test worker"))
            change = fresh(change)
            assert change.status == Status.EXECUTING, told(change)
            type(change).objects.filter(pk=change.pk).update(look_at=None)
        assert part_of(change).progress[troubles.SINCE]
        assert read(change, after=0).text.count("it is tried again") == 1
        away.setattr(troubles, "PATIENCE", timedelta(0))
        change = scene.drive(change)
    assert change.status == Status.FAILED
    assert "is not known" in change.error_message
    assert part_of(change).outcome == Outcome.FAILED


@pytest.mark.usefixtures("pace_back")
def test_a_rollout_that_takes_too_long_is_taken_back(scene: Scene, tenant: Tenant, settings: Any) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    # What begins now takes long, however busy this machine is.
    scene.pace(seconds=3.0)
    settings.DEPLOYMENT_MINUTES = 0
    change = approved(place)
    change = work_until(change, lambda: part_of(change).step == Step.WATCHING)
    scene.pace(seconds=0.1)
    change = scene.drive(change)
    assert change.status == Status.FAILED
    assert "was not over after 0 minutes" in change.error_message
    assert part_of(change).outcome == Outcome.ROLLED_BACK


def test_a_task_before_it_that_never_ends_is_stopped(
    scene: Scene, tenant: Tenant, settings: Any, asked: Asked
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    settings.ONE_OFF_TASK_MINUTES = 0
    migrate = {"service": "api", "name": "migrate", "container": "api", "command": ["sleep 60"]}
    change = scene.drive(approved(place, before_task=migrate))
    assert change.status == Status.FAILED
    assert "It had not ended after 0 minutes" in change.error_message
    assert len(asked.of("stop_task")) == 1
    assert not asked.of("update_service")


def test_what_is_secret_stays_so_in_last_words(
    scene: Scene, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    monkeypatch.setattr(
        "portal.aws.logs.tail", lambda *given, **named: ["login with hunter22hunter", "password=abc12345"]
    )
    wanted = {"environment": {"GREETING": "hunter22hunter"}}
    change = scene.drive(approved(place, "oom", wanted=wanted))
    assert change.status == Status.FAILED
    tails = [row.log_tail for row in part_of(change).stopped_tasks.all() if row.log_tail]
    assert tails
    for tail in tails:
        assert "login with (secret)" in tail
        assert "hunter22" not in tail
        assert "abc12345" not in tail
