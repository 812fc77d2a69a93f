"""Ways back that meet something in their way: somebody else, a revision that is gone, a rollback that goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes.models import Change, Claim
from environments.models import Tenant
from portal.accounts.models import User
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Place, Scene
from tests.environments.deployments.test_outcomes import approved, running


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.DEPLOYMENT_ALARM_SECONDS = 0.2


def baking(scene: Scene, place: Place, operator: User, approver: User, tag: str = "v2") -> Change:
    change = approved(scene, deploy(place, operator, tag, bake_seconds=60), approver)
    return scene.drive(change, "verifying")


def sound(place: Place, state: str = "ALARM") -> None:
    place.client("cloudwatch").set_alarm_state(
        AlarmName=place.services["api"].alarms[0], StateValue=state, StateReason="too many 5xx"
    )


def test_a_previous_revision_that_was_deregistered_is_registered_again(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    previous = place.services["api"].task_definition_arn
    change = baking(scene, place, operator, approver)
    place.client("ecs").deregister_task_definition(taskDefinition=previous)
    sound(place)
    ended = scene.drive(change)
    part = ended.deployment.parts.get()
    assert (ended.status, part.outcome) == ("regressed", "rolled_back"), part.outcome_reason
    assert part.previous_arn == previous != part.back_arn
    assert place.described("api")["taskDefinition"] == part.back_arn
    assert running(place, "api") == {"v1"}


def test_who_finds_somebody_deploying_leaves_it_to_them(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = baking(scene, place, operator, approver)
    newer = deploy(place, operator, "v3")
    Claim.objects.create(change=newer, subject=f"service:{place.services['api'].arn}")
    sound(place)
    ended = scene.drive(change)
    assert ended.status == "regressed"
    assert f"“{newer.title}”" in ended.error_message
    assert "was left on" in ended.error_message
    assert running(place, "api") == {"v2"}
    assert Claim.objects.active().get().change == newer


def test_an_alarm_that_fired_before_is_said_and_not_held_against_it(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    sound(place)
    place.declare(bake_minutes=1 / 60)
    ended = scene.drive(approved(scene, deploy(place, operator), approver))
    assert ended.status == "succeeded", ended.error_message
    assert "fired already before" in ended.transitions.order_by("-pk")[0].note


def test_a_check_that_fails_takes_back_all_traffic_at_once(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(
        tenant, services=("api",), desired=1, checks=[{"name": "extension exists", "command": ["false"]}]
    )
    ended = scene.drive(approved(scene, deploy(place, operator, strategy="blue_green"), approver))
    assert ended.status == "regressed"
    assert "“extension exists” failed" in ended.error_message
    configuration = place.described("api")["deploymentConfiguration"]
    assert (configuration["strategy"], configuration["bakeTimeInMinutes"]) == ("BLUE_GREEN", 0)
    assert running(place, "api") == {"v1"}
