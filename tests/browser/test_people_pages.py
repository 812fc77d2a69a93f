"""The door and the settings as a person meets them: nothing for axe to find, nothing to scroll sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from portal.accounts import actions
from portal.accounts.models import User
from tests.browser.conftest import Opener, axe_findings, sideways
from tests.cast import PASSWORD, by, person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/accounts/profile/",
    "/accounts/password/",
    "/accounts/tokens/",
    "/accounts/people/",
    "/accounts/people/?q=nobody-of-that-name",
    "/accounts/people/new/",
    "/accounts/people/p/operator/",
    "/accounts/people/p/left/",
    "/accounts/people/p/operator/deactivate/",
    "/accounts/people/p/operator/reset-password/",
    "/nowhere/",
]
VIEWS = pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])


@pytest.fixture
def admin(transactional_db: None) -> User:
    admin = person("admin", is_portal_admin=True)
    operator = person("operator", display_name="Oskar Operator of a Rather Long Name")
    person("left", is_active=False)
    actions.create_token(by=by(admin), name="a build server with a rather long name")
    actions.create_token(by=by(operator), name="ci", scopes=["read"])
    return admin


def findings(page: Page) -> list[str]:
    wide = [f"{sideways(page)} px too wide"] if sideways(page) > 0 else []
    return [f"{page.url}: {finding}" for finding in [*wide, *axe_findings(page)]]


@VIEWS
def test_the_settings(open_page: Opener, live_server, admin: User, width: int, theme: str) -> None:
    page = open_page(PAGES[0], user=admin, width=width, theme=theme)
    found: list[str] = []
    for path in PAGES:
        page.goto(live_server.url + path)
        found += findings(page)
    page.goto(f"{live_server.url}/accounts/tokens/")
    page.fill("[name=name]", "laptop")
    page.click("text=Create token")
    page.wait_for_selector("text=Copy the new token now")
    assert found + findings(page) == []


@VIEWS
def test_the_door(open_page: Opener, live_server, admin: User, width: int, theme: str) -> None:
    page = open_page("/accounts/tokens/", width=width, theme=theme)
    found = findings(page)
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "not it")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The name or the password is wrong")
    found += findings(page)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/accounts/tokens/")
    assert found == []


def test_deactivating_asks_in_a_dialog_and_enter_does_not_answer_it(open_page: Opener, admin: User) -> None:
    page = open_page("/accounts/people/p/operator/", user=admin)
    page.click("a:has-text('Deactivate')")
    page.wait_for_selector("dialog[open] >> text=signed out everywhere at once")
    page.keyboard.press("Enter")
    assert User.objects.get(username="operator").is_active
    page.click("dialog[open] button:has-text('Deactivate')")
    page.wait_for_selector("text=This person left")
    assert not User.objects.get(username="operator").is_active


def test_deactivating_works_without_scripts(open_page: Opener, admin: User) -> None:
    page = open_page("/accounts/people/p/operator/", user=admin, javascript=False)
    page.click("a:has-text('Deactivate')")
    page.click("button:has-text('Deactivate')")
    page.wait_for_selector("text=This person left")
    assert not User.objects.get(username="operator").is_active
