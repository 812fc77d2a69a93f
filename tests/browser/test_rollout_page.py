"""The page of a rollout while somebody looks at it: it moves, and takes nothing out of their hands."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from environments.changes.models import Change
from environments.models import Environment, Tenant
from tests.browser.conftest import Opener
from tests.cast import *  # noqa: F403
from tests.cast import User
from tests.environments.deployments import crafted

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_it_moves_and_keeps_folds_and_focus(open_page: Opener, tenant: Tenant, operator: User) -> None:
    place: Environment = crafted.production(tenant)
    change = crafted.deployment(place, operator, "executing", "backend", "worker")
    crafted.rolling_out(change, new=50, old=50, most=50)
    part = change.deployment.parts.get(position=0)
    page = open_page(f"/changes/{change.uuid}/", user=operator)
    rollout = page.locator(f"#rollout-{part.pk}")
    expect(rollout).to_contain_text("0 of 50 running, 50 starting")
    summary = page.locator(f"#tasks-{part.pk}-head")
    summary.click()
    expect(page.locator(f"#tasks-{part.pk} tbody tr")).to_have_count(25)
    expect(page.locator(f"#tasks-{part.pk}")).to_contain_text("and 75 more")
    part.progress["new"].update(running=30, pending=20)
    part.save()
    expect(rollout).to_contain_text("30 of 50 running, 20 starting", timeout=15_000)
    assert page.locator(f"#tasks-{part.pk}").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == f"tasks-{part.pk}-head"
    # It ends: the way back appears without a reload, and the asking stops.
    crafted.went_wrong(change, "rollback_failed", "No capacity.")
    Change.objects.filter(pk=change.pk).update(
        status="failed", version=change.version + 1, error_kind="tool", error_message="No capacity."
    )
    expect(page.locator("#roll-back")).to_be_visible(timeout=15_000)
    expect(page.locator("#change-live")).to_contain_text("It could not be deployed")
    expect(page.locator(".button--primary")).to_have_count(1)
