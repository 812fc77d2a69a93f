"""A change of 5,000 resources and 200,000 log lines in a real browser: opens at once, searches, goes anywhere."""

# ruff: noqa: F811 - fixtures of the cast, asked for by name

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from environments.changes.log import LogWriter
from environments.changes.models import Change
from environments.models import Environment
from portal.core.redaction import Redactor
from tests.browser.conftest import Opener, axe_findings, sideways
from tests.cast import approver, operator, tenant  # noqa: F401
from tests.environments.changes.test_large_log import LINES, line, write
from tests.environments.runs.crafted import planned, row

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

RESOURCES = 5000
# Log bytes on the way to a page that shows its end, and for each thing asked of it.
MOST_LOG_BYTES = 2_000_000


@pytest.fixture
def large(tenant: Any, operator: Any) -> Change:
    place = Environment.objects.create(
        tenant=tenant, slug="big", name="big", environment_class="production", blueprint="steps"
    )
    rows = [row(f"module.part{n % 40}.aws_instance.n{n}", "create", ami="ami-1") for n in range(RESOURCES)]
    change = planned(place, operator, rows)
    write(change, LINES)
    return change


class Traffic:
    """What the page fetched of the log."""

    def __init__(self, page: Page) -> None:
        self.bytes, self.asked = 0, 0
        page.on("requestfinished", self._note)

    def _note(self, request: Request) -> None:
        if "/log/" in request.url:
            self.asked += 1
            self.bytes += request.sizes()["responseBodySize"]


def test_it_opens_near_the_end_goes_anywhere_and_is_searched(
    open_page: Opener, large: Change, approver: Any
) -> None:
    page = open_page("/style/", user=approver)
    traffic = Traffic(page)
    began = time.monotonic()
    page.goto(page.url.replace("/style/", f"/changes/{large.uuid}/"))
    expect(page.locator(f"#L{LINES}")).to_be_attached()
    print(
        f"opened in {time.monotonic() - began:.2f} s, {traffic.bytes:,} bytes of log in {traffic.asked} pieces"
    )
    assert traffic.bytes < MOST_LOG_BYTES
    expect(page.locator(".plan-row")).to_have_count(100)
    assert page.locator(".log__line").count() <= 4000
    expect(page.locator("[data-log-foot]")).to_contain_text(f"of {LINES}")

    # A line, from the address box.
    page.fill("[data-log-line]", "77777")
    page.press("[data-log-line]", "Enter")
    target = page.locator("#L77777")
    expect(target).to_have_class(re.compile("is-target"))
    expect(target).to_contain_text(line(77_777))
    expect(target).to_be_in_viewport()
    expect(page.locator("[data-log-follow]")).not_to_be_checked()
    # Backwards from there, without a line missing.
    first = int(page.locator(".log__number").first.inner_text())
    page.locator("[data-log-earlier] button").click()
    expect(page.locator(f"#L{first - 1000}")).to_be_attached()
    numbers = [int(text) for text in page.locator(".log__number").all_inner_texts()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    texts = page.locator(".log__line > span:last-child").all_inner_texts()
    assert texts == [line(n) for n in numbers]
    # And forward.
    page.get_by_role("button", name="Load more lines").click()
    expect(page.locator(f"#L{numbers[-1] + 1}")).to_be_attached()
    assert traffic.bytes < 3 * MOST_LOG_BYTES

    # A text far from what is shown.
    page.fill("[data-log-search]", "i-000012345")
    expect(page.locator("[data-log-found]")).to_have_text("1 matches", timeout=15_000)
    expect(page.locator("[data-log-results] a")).to_have_text(f"12345: {line(12_345)}")
    expect(page.locator("#L12345")).to_have_class(re.compile("is-target"))
    expect(page.locator("#L12345")).to_have_class(re.compile("is-match"))
    # Many matches come a hundred at a time, and Enter walks them.
    page.fill("[data-log-search]", "module.part7.")
    results = page.locator("[data-log-results] li")
    expect(results).to_have_count(100)
    expect(page.locator("#L7")).to_have_class(re.compile("is-target"))
    page.press("[data-log-search]", "Enter")
    expect(page.locator("#L104")).to_have_class(re.compile("is-target"))
    page.get_by_role("button", name="Search on").click()
    expect(results).to_have_count(200)
    results.nth(150).locator("a").click()
    expect(page.locator(f"#L{7 + 150 * 97}")).to_have_class(re.compile("is-target"))
    assert axe_findings(page) == []
    page.fill("[data-log-search]", "nothing like it")
    expect(page.locator("[data-log-found]")).to_have_text("0 matches", timeout=15_000)


def test_a_phone_holds_it_and_follows(open_page: Opener, large: Change, approver: Any) -> None:
    page = open_page(f"/changes/{large.uuid}/#L150000", user=approver, width=360)
    expect(page.locator("#L150000")).to_have_class(re.compile("is-target"))
    page.fill("#resource-text", ".n4321")
    expect(page.locator(".plan-row")).to_have_count(1)
    expect(page.locator(".plan-row__address")).to_have_text("module.part1.aws_instance.n4321")
    page.fill("[data-log-search]", "i-000012345")
    expect(page.locator("#L12345")).to_have_class(re.compile("is-target"), timeout=15_000)
    assert sideways(page) <= 0

    # Who follows sees new lines, and who reads is left alone.
    page.check("[data-log-follow]")
    expect(page.locator(f"#L{LINES}")).to_be_attached()
    page.locator(".log__scroll").scroll_into_view_if_needed()
    writer = LogWriter(large, large.fence, Redactor([]))
    writer.write("the first new line")
    expect(page.locator(f"#L{LINES + 1}")).to_have_text(re.compile("the first new line"))
    expect(page.locator(f"#L{LINES + 1}")).to_be_in_viewport()
    page.fill("[data-log-line]", "100")
    page.press("[data-log-line]", "Enter")
    expect(page.locator("#L100")).to_be_in_viewport()
    writer.write("the second new line")
    # It stands still and offers to go on.
    expect(page.get_by_role("button", name="Load more lines")).to_be_visible()
    expect(page.locator("#L100")).to_be_in_viewport()
    # Following again goes to the end at once, not through 200,000 lines.
    page.check("[data-log-follow]")
    expect(page.locator(f"#L{LINES + 2}")).to_have_text(re.compile("the second new line"))
    page.locator(".log__scroll").scroll_into_view_if_needed()
    expect(page.locator(f"#L{LINES + 2}")).to_be_in_viewport()
    assert page.locator(".log__line").count() <= 4000
