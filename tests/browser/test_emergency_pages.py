"""Starting without approval, and reviewing it, in a browser: axe, phone width, and Enter that decides nothing."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from environments.changes.lifecycle import Status
from environments.changes.models import Change, Review
from environments.models import Environment, Tenant
from tests.browser.conftest import Opener, axe_findings, sideways
from tests.cast import member
from tests.environments.runs.crafted import planned, row

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db):
    tenant = Tenant.objects.create(slug="triflow", name="TriFlow AI")
    return {
        name: member(name, tenant, name, display_name=f"{name.capitalize()} of a Rather Long Name")
        for name in ("operator", "approver", "admin")
    }


@pytest.fixture
def change(people) -> Change:
    place = Environment.objects.create(
        tenant=Tenant.objects.get(),
        slug="production",
        name="production",
        environment_class="production",
        blueprint="steps",
    )
    made = planned(place, people["operator"], [row("module.database.aws_db_instance.this", "delete")])
    Change.objects.update(title="Replace the database of TriFlow AI production", due_at=None)
    return Change.objects.get(pk=made.pk)


@pytest.fixture
def overdue(change, people) -> Change:
    now = timezone.now()
    Change.objects.filter(pk=change.pk).update(
        status=Status.SUCCEEDED,
        started_at=now,
        finished_at=now,
        break_glass=True,
        break_glass_by=people["operator"],
        break_glass_at=now,
        break_glass_reason="Customers cannot pay since 03:12, see https://tickets.example/browse/"
        + "OPS-4711" * 8,
        requested_by=None,
    )
    Review.objects.create(change=change, due_at=now)
    return Change.objects.get(pk=change.pk)


def findings(page: Page) -> list[str]:
    wide = [f"{sideways(page)} px too wide"] if sideways(page) > 0 else []
    return [f"{page.url}: {finding}" for finding in [*wide, *axe_findings(page)]]


def test_the_way_in(open_page: Opener, live_server, change, people) -> None:
    page = open_page(reverse("changes:detail", args=[change.uuid]), user=people["operator"], width=360)
    page.click("text=Start without approval")
    page.wait_for_selector("text=For emergencies only")
    found = findings(page)
    page.fill("[name=reason]", "Customers cannot pay")
    page.fill("[name=confirm_name]", "triflow.staging")
    page.keyboard.press("Enter")
    assert Change.objects.get().status == Status.AWAITING_APPROVAL
    page.click("button:has-text('Start without approval')")
    page.wait_for_selector("text=Type triflow.production to start it")
    found += findings(page)
    page.fill("[name=confirm_name]", "triflow.production")
    page.click("button:has-text('Start without approval')")
    page.wait_for_selector("text=Starts without approval")
    assert found + findings(page) == []
    assert Change.objects.get().break_glass_by == people["operator"]


def test_the_debt_and_the_way_out(open_page: Opener, live_server, overdue, people) -> None:
    page = open_page("/", user=people["approver"], width=360, theme="dark")
    found: list[str] = []
    for path in (
        "/",
        "/inbox/",
        "/changes/",
        "/environments/triflow/production/",
        "/environments/triflow/production/changes/",
        reverse("changes:detail", args=[overdue.uuid]),
    ):
        page.goto(live_server.url + path)
        found += findings(page)
    page.click("a:has-text('Review the start')")
    page.wait_for_selector("text=Your verdict")
    found += findings(page)
    page.check("[name=verdict][value=concern]")
    page.fill("[name=comment]", "It could have waited until nine.")
    page.click("button:has-text('Write the review')")
    page.wait_for_selector("text=It should not have been done so")
    assert found + findings(page) == []
    assert Review.objects.get().reviewed_by == people["approver"]
