"""The people pages as a person meets them: nothing for axe to find, nothing to scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from portal.accounts import actions
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
VIEWS = [(1280, "light"), (360, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, in which Django would refuse the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def people() -> None:
    admin = person("admin", is_portal_admin=True)
    operator = person("operator", display_name="Oskar Operator of a Rather Long Name")
    person("left", is_active=False)
    actions.create_token(by=by(admin), name="a build server with a rather long name")
    actions.create_token(by=by(operator), name="ci", scopes=["read"])


def open_page(browser: Browser, width: int, theme: str, url: str, session: str = "") -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, bypass_csp=True
    )
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return context.new_page()


def complaints(page: Page, width: int) -> list[str]:
    found = [f"{violation['id']}: {page.url}" for violation in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append(f"scrolls sideways: {page.url}")
    return found


@pytest.mark.parametrize(("width", "theme"), VIEWS)
def test_pages_of_a_portal_administrator(browser, live_server, people, width, theme):
    from portal.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="admin"))
    page = open_page(browser, width, theme, live_server.url, client.cookies["sessionid"].value)
    found: list[str] = []
    for path in PAGES:
        page.goto(live_server.url + path)
        found += complaints(page, width)
    page.goto(f"{live_server.url}/accounts/tokens/")
    page.fill("[name=name]", "laptop")
    page.click("text=Create token")
    page.wait_for_selector("text=Copy the new token now")
    found += complaints(page, width)
    page.context.close()
    assert found == []


@pytest.mark.parametrize(("width", "theme"), VIEWS)
def test_the_door(browser, live_server, people, width, theme):
    page = open_page(browser, width, theme, live_server.url)
    page.goto(f"{live_server.url}/accounts/tokens/")
    found = complaints(page, width)
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "not it")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The name or the password is wrong")
    found += complaints(page, width)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/accounts/tokens/")
    page.context.close()
    assert found == []


def test_deactivating_asks_in_a_dialog_and_enter_does_not_answer_it(browser, live_server, people):
    from portal.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="admin"))
    page = open_page(browser, 1280, "light", live_server.url, client.cookies["sessionid"].value)
    page.goto(f"{live_server.url}/accounts/people/p/operator/")
    page.click("a:has-text('Deactivate')")
    page.wait_for_selector("dialog[open] >> text=signed out everywhere at once")
    page.keyboard.press("Enter")
    assert User.objects.get(username="operator").is_active
    page.click("dialog[open] button:has-text('Deactivate')")
    page.wait_for_selector("text=This person left")
    page.context.close()
    assert not User.objects.get(username="operator").is_active
