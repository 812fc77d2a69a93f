"""A worker killed right after AWS did what it was asked, before it could write that down: nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from environments.changes import execution
from environments.changes.lifecycle import FINAL, Status
from environments.changes.models import Change
from environments.deployments.models import OneOffTask
from environments.models import Tenant
from portal.accounts.principals import worker
from portal.aws import ecs
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, fresh, told


class Killed(BaseException):
    """kill -9: nothing after it runs."""


def killing(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """Each of these calls kills its worker the first time, after AWS has done it; those that did."""
    struck: list[str] = []

    def deadly(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def strike(*given: Any, **named: Any) -> Any:
            answer = original(*given, **named)
            if name not in struck:
                struck.append(name)
                raise Killed(name)
            return answer

        return strike

    for name in names:
        monkeypatch.setattr(ecs, name, deadly(name, getattr(ecs, name)))
    return struck


def survive(change: Change, seconds: float = 60) -> Change:
    """Drive it on over every death, as the sweeper does: the lease runs out, another worker takes the next fence."""
    deadline = time.monotonic() + seconds
    while fresh(change).status not in FINAL:
        assert time.monotonic() < deadline, told(fresh(change))
        Change.objects.filter(pk=change.pk, lease_until=None).update(look_at=None)
        try:
            execution.advance(str(change.uuid), by=worker("one of many"))
        except Killed:
            Change.objects.filter(pk=change.pk).update(
                lease_until=None, lease_owner={}, fence=F("fence") + 1, look_at=None
            )
    return fresh(change)


def test_each_step_is_done_once_whoever_dies(
    scene: Scene, tenant: Tenant, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    struck = killing(monkeypatch, "register", "run_task", "update_service")
    migrate = {"service": "api", "name": "migrate", "container": "api", "command": ["migrate", "up"]}
    change = survive(approved(place, before_task=migrate))
    assert change.status == Status.SUCCEEDED, told(change)
    assert struck == ["register", "run_task", "update_service"]
    assert len(asked.of("register_task_definition")) == 1
    assert len(asked.of("update_service")) == 1
    # Asked twice with one token ECS starts one task.
    first, second = asked.of("run_task")
    assert first == second
    row = OneOffTask.objects.get(part=part_of(change))
    assert (row.exit_code, row.client_token) == (0, first["clientToken"])
    ran = place.client("ecs").list_tasks(
        cluster=place.built.cluster_arn, desiredStatus="STOPPED", startedBy=first["startedBy"]
    )
    assert ran["taskArns"] == [row.task_arn]
    deployments = place.client("ecs").list_service_deployments(
        cluster=place.built.cluster_arn, service=place.services["api"].name
    )["serviceDeployments"]
    assert len(deployments) == 2


def test_a_restart_is_not_done_again(
    scene: Scene, tenant: Tenant, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    killing(monkeypatch, "update_service")
    change = survive(approved(place, act="restart"))
    assert change.status == Status.SUCCEEDED, told(change)
    assert len(asked.of("update_service")) == 1


@pytest.mark.parametrize("looking", ["find_equal_revision", "describe_services"])
def test_a_worker_that_was_given_up_for_dead_tells_ecs_nothing(
    scene: Scene, tenant: Tenant, asked: Asked, monkeypatch: pytest.MonkeyPatch, looking: str
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = approved(place)
    original = getattr(ecs, looking)

    def slow(*given: Any) -> Any:
        """While it looked, another worker has taken over."""
        Change.objects.filter(pk=change.pk).update(fence=F("fence") + 1)
        return original(*given)

    monkeypatch.setattr(ecs, looking, slow)
    execution.advance(str(change.uuid), by=worker("too late"))
    assert fresh(change).status == Status.EXECUTING
    assert not asked.of("update_service")
    assert len(asked.of("register_task_definition")) == (looking != "find_equal_revision")
