"""Blueprints and definitions in a browser: rows come and go, secrets stay hidden, axe finds nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from environments.blueprints.actions import define
from environments.models import Environment, Tenant
from portal.accounts.models import User
from tests.browser.conftest import Opener, axe_findings, sideways
from tests.cast import by, member

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

VIEWS = pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
HERE = "/environments/triflow/staging/"
SECRETS = {"db_password": "Very-secret-password", "redis_auth_token": "Very-secret-token-0123456789"}
PAGES = [
    "/blueprints/",
    "/blueprints/web-service/",
    HERE + "define/",
    HERE + "definitions/",
    HERE + "definitions/2/",
    HERE + "compare/?with=triflow.production",
    HERE + "compare/?a=1&b=2",
]


@pytest.fixture
def operator(transactional_db: None) -> User:
    tenant = Tenant.objects.create(slug="triflow", name="TriFlow AI")
    operator = member("operator", tenant, "operator")
    examples = Path(settings.TERRAFORM_DIR) / "blueprints/web-service/examples"
    for slug, drains in (("staging", [30, 40]), ("production", [30])):
        place = Environment.objects.create(tenant=tenant, slug=slug, name=slug, blueprint="web-service")
        values = json.loads((examples / f"triflow-{slug}.tfvars.json").read_text())
        for drain in drains:
            given = values | {"drain_seconds": drain}
            define(by=by(operator), environment=place, variables=given, sensitive=SECRETS)
    return operator


def findings(page: Page) -> list[str]:
    wide = [f"{sideways(page)} px too wide"] if sideways(page) > 0 else []
    return [f"{page.url}: {finding}" for finding in [*wide, *axe_findings(page)]]


@VIEWS
def test_every_page(open_page: Opener, live_server, operator: User, width: int, theme: str) -> None:
    page = open_page(PAGES[0], user=operator, width=width, theme=theme)
    found: list[str] = []
    for path in PAGES:
        page.goto(live_server.url + path)
        assert page.locator("h1").count() == 1, path
        found += findings(page)
    assert found == []


@VIEWS
def test_the_form(open_page: Opener, operator: User, width: int, theme: str) -> None:
    page = open_page(HERE + "define/", user=operator, width=width, theme=theme)
    tags = page.locator("[aria-labelledby=label-tags]")
    tags.get_by_text("Add entry").click()
    tags.locator("[name^=var-tags-key]").last.fill("Team")
    tags.locator("[name^=var-tags-value]").last.fill("core")
    tags.get_by_role("button", name="Remove").first.click()
    page.fill('[name="var-drain_seconds"]', "soon")
    page.fill('[name="var-db_password"]', "Another-secret-password")
    page.click("button[value=save]")
    page.wait_for_selector("text=Not saved")
    assert findings(page) == []
    assert page.input_value('[name="var-drain_seconds"]') == "soon"
    assert page.input_value('[name="var-db_password"]') == ""
    assert "Another-secret-password" not in page.content()
    page.fill('[name="var-drain_seconds"]', "50")
    page.click("button[value=save]")
    page.wait_for_url("**/definitions/3/")
    made = Environment.objects.get(slug="staging").latest_definition
    assert made is not None
    assert made.variables["tags"] == {"CostCenter": "triflow", "Team": "core"}
    assert made.variables["drain_seconds"] == 50
    assert made.sensitive == SECRETS | {"db_password": "Another-secret-password"}


def test_the_form_without_javascript(open_page: Opener, operator: User) -> None:
    page = open_page(HERE + "define/", user=operator, javascript=False)
    page.locator("[name^=var-tags-key]").last.fill("Team")
    page.locator("[name^=var-tags-value]").last.fill("core")
    page.click("button[value=save]")
    made = Environment.objects.get(slug="staging").latest_definition
    assert made is not None and made.number == 3
    assert made.variables["tags"]["Team"] == "core"
    assert made.sensitive == SECRETS
