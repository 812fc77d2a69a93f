"""A real browser for the tests: Debian's chromium, driven by Playwright, judged by axe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

# Playwright keeps an event loop in this thread, and Django would refuse the database beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """Nothing is collected in tests (the files come from their sources), but its absence is a warning."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser complained about (scripts, content security policy): a test that leaves any fails.

    A test that provokes one takes it out of the list.
    """
    found: list[str] = []
    yield found
    assert not found, found


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, complaints: list[str]) -> Iterator[Opener]:
    """`open_page("/path/", user=..., width=..., theme=..., javascript=...)` -> a Page of a fresh context."""
    contexts: list[BrowserContext] = []

    def opener(
        path: str, *, user: Any = None, width: int = 1360, theme: str = "light", **options: Any
    ) -> Page:
        height = 780 if width < 500 else 900
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            java_script_enabled=options.pop("javascript", True),
            **options,
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        note_complaints(page, complaints)
        page.goto(live_server.url + path)
        return page

    yield opener
    for context in contexts:
        context.close()


def note_complaints(page: Page, complaints: list[str]) -> None:
    """Put whatever this page's scripts and policy complain about into the list."""
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _note(message, complaints))


def _note(message: Any, complaints: list[str]) -> None:
    # "Failed to load resource" only repeats a status that the test asked for.
    if message.type == "error" and "Failed to load resource" not in message.text:
        complaints.append(message.text)


def session_cookie(user: Any, url: str) -> Any:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


def axe_findings(page: Page) -> list[str]:
    """What axe holds against the page as it is now: "rule: element" lines."""
    # Through the protocol, not a script tag: the page's own policy would rightly refuse that.
    page.evaluate(AXE.read_text() + "; undefined")
    result = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)
    return [
        f"{violation['id']}: {node['html'][:150]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window, once it has settled into its size."""
    for _attempt in range(10):
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider <= 0:
            break
        page.wait_for_timeout(50)
    return int(wider)
