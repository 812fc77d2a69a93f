"""While a deployment is observed: somebody stops it and goes back, or a newer deployment takes over."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from environments.changes.actions import cancel
from environments.changes.models import Change
from environments.models import Tenant
from portal.accounts.models import User
from portal.core.errors import StaleState
from tests.cast import by
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Scene
from tests.environments.deployments.test_outcomes import approved, running
from tests.environments.deployments.test_ways_back import baking


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.DEPLOYMENT_ALARM_SECONDS = 0.2


def test_the_first_deployment_of_a_service_is_taken_back_by_one_button(
    scene: Scene, tenant: Tenant, operator: User, approver: User, client: Client
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = baking(scene, place, operator, approver)
    client.force_login(operator)
    page = client.get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert "Stop and roll back" in page
    cancel(by=by(operator), change=change)
    with pytest.raises(StaleState):
        cancel(by=by(operator), change=Change.objects.get(pk=change.pk))
    ended = scene.drive(change)
    part = ended.deployment.parts.get()
    assert (ended.status, part.outcome) == ("regressed", "rolled_back"), ended.error_message
    assert f"{operator} asked to stop it" in ended.error_message
    assert running(place, "api") == {"v1"}
    assert ended.claims.active().count() == 0


def test_a_newer_deployment_that_takes_over_while_all_is_quiet_is_no_failure(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    first = baking(scene, place, operator, approver)
    second = approved(scene, deploy(place, operator, "v3", bake_seconds=0), approver)
    assert scene.drive(second).status == "succeeded"
    ended = scene.drive(first)
    assert ended.status == "succeeded", ended.error_message
    told = ended.transitions.order_by("-pk")[0].note
    assert f"cut short: “{second.title}” took over" in told
    assert running(place, "api") == {"v3"}


def test_one_whose_alarm_had_fired_by_then_is_not_good(
    scene: Scene, tenant: Tenant, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    first = baking(scene, place, operator, approver)
    second = approved(scene, deploy(place, operator, "v3", bake_seconds=0), approver)
    assert scene.drive(second).status == "succeeded"
    # Seen before the newer one was: a look that died between the two.
    first.deployment.refresh_from_db()
    told = {"state": "ALARM", "reason": "too many 5xx", "since": None, "before": False}
    first.deployment.verification["alarms"] = [{"name": place.services["api"].alarms[0], **told}]
    first.deployment.save(update_fields=["verification"])
    ended = scene.drive(first)
    assert ended.status == "regressed"
    assert running(place, "api") == {"v3"}, "what took over is left alone"


def test_a_rollback_that_takes_over_says_that_it_was_not_good(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    from environments.deployments.actions import request_rollback

    place = scene.environment(tenant, services=("api",), desired=1)
    good = scene.drive(approved(scene, deploy(place, operator, "v2", bake_seconds=0), approver))
    bad = baking(scene, place, operator, approver, "v3")
    back = request_rollback(by=by(operator), environment=place.environment, deployment=good.deployment)
    assert scene.drive(back, "verifying", "succeeded").status in {"verifying", "succeeded"}
    assert scene.drive(bad).status == "regressed"
