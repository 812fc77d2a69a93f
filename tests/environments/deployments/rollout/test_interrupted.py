"""Somebody cancels it, or deploys something else past the portal."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from environments.changes import execution
from environments.changes.actions import cancel
from environments.changes.lifecycle import FINAL, Status
from environments.changes.models import Change
from environments.deployments.models import Outcome, Step
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from tests.cast import by
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, fresh, told


def work_until(change: Change, reached: Callable[[], bool], seconds: float = 60) -> Change:
    deadline = time.monotonic() + seconds
    while not reached():
        now = fresh(change)
        assert now.status not in FINAL, told(now)
        assert time.monotonic() < deadline, told(now)
        Change.objects.filter(pk=change.pk, lease_until=None).update(look_at=None)
        execution.advance(str(change.uuid), by=worker("test worker"))
    return fresh(change)


def test_a_cancel_takes_back_what_rolls_out_and_what_was_done(
    scene: Scene, tenant: Tenant, operator: User
) -> None:
    place = scene.environment(tenant, desired=1)
    change = approved(place, images={"ws": "slow-start"})
    change = work_until(change, lambda: part_of(change, 1).step == Step.WATCHING)
    cancel(by=by(operator), change=change)
    change = scene.drive(change)
    assert change.status == Status.CANCELLED
    assert [part_of(change, n).outcome for n in (0, 1)] == [Outcome.ROLLED_BACK] * 2
    for service in place.services.values():
        assert place.described(service.key)["taskDefinition"] == service.task_definition_arn
    note = change.transitions.get(to_status=Status.CANCELLED).note
    assert "taken back" in note
    assert "as before" in note


def test_a_cancel_before_anything_was_touched_alters_nothing(
    scene: Scene, tenant: Tenant, operator: User, asked: Asked
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    migrate = {"service": "api", "container": "api", "command": ["sleep 60"]}
    change = approved(place, before_task=migrate)
    change = work_until(change, lambda: bool(asked.of("describe_tasks")))
    cancel(by=by(operator), change=change)
    change = scene.drive(change)
    assert change.status == Status.CANCELLED
    assert change.transitions.get(to_status=Status.CANCELLED).note == "Nothing was altered."
    assert part_of(change).outcome == Outcome.UNTOUCHED
    assert not asked.of("update_service")
    assert len(asked.of("stop_task")) == 1


@pytest.mark.usefixtures("pace_back")
def test_somebody_elses_deployment_is_not_fought(scene: Scene, tenant: Tenant, asked: Asked) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    # What begins now takes long, however busy this machine is.
    scene.pace(seconds=3.0)
    service = place.services["api"]
    change = approved(place)
    change = work_until(change, lambda: part_of(change).step == Step.WATCHING)
    scene.pace(seconds=0.1)
    ecs = place.client("ecs")
    theirs = ecs.register_task_definition(**{**service.definition, "cpu": "512", "memory": "1024"})
    arn = theirs["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=place.built.cluster_arn, service=service.arn, taskDefinition=arn)
    change = scene.drive(change)
    assert change.status == Status.FAILED
    assert part_of(change).outcome == Outcome.FAILED
    assert "somebody deployed something else" in change.error_message
    assert "CloudTrail" in change.error_hint
    assert place.described("api")["taskDefinition"] == arn
    assert len(asked.of("update_service")) == 1
    assert not asked.of("stop_service_deployment")


def test_what_moved_while_its_turn_was_awaited_is_not_replaced(
    scene: Scene, tenant: Tenant, asked: Asked
) -> None:
    place = scene.environment(tenant, desired=1)
    ws = place.services["ws"]
    change = approved(place)
    change = work_until(change, lambda: part_of(change, 0).step == Step.WATCHING)
    ecs = place.client("ecs")
    theirs = ecs.register_task_definition(**ws.definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=place.built.cluster_arn, service=ws.arn, taskDefinition=theirs)
    change = scene.drive(change)
    assert change.status == Status.FAILED
    assert "outside the portal" in change.error_message
    assert [part_of(change, n).outcome for n in (0, 1)] == [Outcome.ROLLED_BACK, Outcome.UNTOUCHED]
    assert place.described("ws")["taskDefinition"] == theirs
    assert ws.arn not in [update["service"] for update in asked.of("update_service")]
