"""Every component in every state, in a real browser: accessible, in its width, and doing what it says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from portal.accounts.models import User
from tests.browser.conftest import Opener, axe_findings, sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def admin_user(transactional_db: None) -> User:
    return User.objects.create(username="admin", display_name="Sora Choi", is_portal_admin=True)


@pytest.fixture
def guide(open_page: Opener, admin_user: User) -> Page:
    return open_page("/style/", user=admin_user)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 820, 360])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_page: Opener, admin_user: User, width: int, theme: str
) -> None:
    page = open_page("/style/", user=admin_user, width=width, theme=theme)
    expect(page.locator("[data-log-foot]")).to_have_text("End of the log")
    assert sideways(page) <= 0
    assert axe_findings(page) == []


def test_axe_finds_nothing_in_open_menus_and_dialogs(guide: Page) -> None:
    guide.click(".user-menu summary")
    assert axe_findings(guide) == []
    guide.keyboard.press("Escape")
    expect(guide.locator(".user-menu summary")).to_be_focused()
    guide.click("a[data-dialog=destroy]")
    assert axe_findings(guide) == []


def test_only_portal_administrators_see_it(open_page: Opener, admin_user: User) -> None:
    User.objects.filter(pk=admin_user.pk).update(is_portal_admin=False)
    page = open_page("/style/", user=admin_user)
    expect(page.locator("h1")).to_have_text("Not allowed")
    assert axe_findings(page) == []


def test_the_page_needs_no_inline_script_or_style(guide: Page) -> None:
    source = guide.content()
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert "<style" not in source
    assert not guide.evaluate("document.querySelectorAll('[style]').length")
    assert not re.search(r"\son[a-z]+=", source)


def test_enter_never_approves_but_space_does(guide: Page) -> None:
    posts: list[str] = []
    guide.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    guide.click("a[data-dialog=approve]")
    approve = guide.locator("#approve .button--primary")
    comment = guide.locator("#approve-comment")
    expect(comment).to_be_focused()
    guide.keyboard.press("Control+Enter")
    approve.focus()
    guide.keyboard.press("Enter")
    guide.wait_for_timeout(300)
    assert posts == []
    expect(guide.locator("#approve")).to_be_visible()
    approve.focus()
    with guide.expect_request(lambda request: request.method == "POST"):
        guide.keyboard.press("Space")


def test_enter_in_a_typed_name_submits_nothing_even_without_javascript(
    open_page: Opener, admin_user: User
) -> None:
    page = open_page("/style/", user=admin_user, javascript=False)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    # The same form stands on a page of its own for people without scripts; here it is in a closed dialog.
    page.locator("#destroy").evaluate("dialog => dialog.setAttribute('open', '')")
    page.fill("#destroy-typed", "triflow-ai.production")
    page.press("#destroy-typed", "Enter")
    page.wait_for_timeout(300)
    assert posts == []
    with page.expect_request(lambda request: request.method == "POST"):
        page.click("#destroy .button--danger")


def test_death_of_data_asks_for_the_name(guide: Page) -> None:
    opener = guide.locator("a[data-dialog=destroy]")
    opener.click()
    button = guide.locator("#destroy .button--danger")
    expect(button).to_be_disabled()
    guide.fill("#destroy-typed", "triflow-ai.staging")
    expect(button).to_be_disabled()
    guide.fill("#destroy-typed", "triflow-ai.production")
    expect(button).to_be_enabled()
    guide.click("#destroy [data-close-dialog]")
    expect(opener).to_be_focused()


def test_the_theme_stays_chosen_from_the_first_paint(guide: Page) -> None:
    guide.click(".user-menu summary")
    guide.click("[data-set-theme=dark]")
    assert guide.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    response = guide.reload()
    assert response is not None
    assert 'data-theme="dark"' in response.text()
    guide.click(".user-menu summary")
    guide.click("[data-set-theme='']")
    guide.reload()
    assert guide.locator("html").get_attribute("data-theme") is None


def test_list_rows_come_and_go_with_names_of_their_own(guide: Page) -> None:
    cidrs = guide.locator("[data-editor][aria-label='var-allowed_cidrs']")
    inputs = cidrs.locator("input")
    expect(inputs).to_have_count(2)  # the spare rows are for people without scripts
    cidrs.locator("[data-add-row]").click()
    expect(inputs.last).to_be_focused()
    guide.keyboard.type("10.0.13.0/24")
    cidrs.locator("[data-remove-row]").first.click()
    names = cidrs.locator("input").evaluate_all("all => all.map(one => [one.name, one.value])")
    assert [value for _, value in names] == ["10.0.12.0/24", "10.0.13.0/24"]
    assert len({name for name, _ in names}) == 2


def test_nested_rows_keep_their_place(guide: Page) -> None:
    alarms = guide.locator("[data-editor][aria-label='var-alarms']")
    alarms.locator(":scope > [data-add-row]").click()
    row = alarms.locator(":scope > [data-rows] > [data-row]").last
    metric = row.locator("input").first.get_attribute("name")
    row.locator("[data-add-row]").click()
    action = row.locator("[name*='.actions-']").first.get_attribute("name")
    assert metric is not None
    assert action is not None
    assert re.fullmatch(r"var-alarms-\d+\.metric", metric)
    assert re.fullmatch(re.escape(metric.removesuffix("metric")) + r"actions-\d+", action)


def test_without_javascript_there_are_spare_rows(open_page: Opener, admin_user: User) -> None:
    page = open_page("/style/", user=admin_user, javascript=False)
    assert page.locator("input[name^='var-allowed_cidrs-']").count() == 5
    expect(page.locator(".log noscript")).to_have_count(1)


def test_the_log_folds_repeats_numbers_lines_and_lists_errors(guide: Page) -> None:
    expect(guide.locator("[data-log-foot]")).to_have_text("End of the log")
    numbers = guide.locator(".log__number").all_text_contents()
    assert numbers == ["1", "2", "3", "9", "10", "11", "12", "13"]
    expect(guide.locator("#L3")).to_contain_text("[60s elapsed]")
    guide.click("[data-log-errors] a")
    expect(guide.locator("#L11")).to_have_class(re.compile("is-target"))
    expect(guide.locator("[data-log-copy]")).to_have_text("Copy the link to line 11")
    guide.fill("[data-log-search]", "sns_topic")
    expect(guide.locator("[data-log-found]")).to_have_text("1 matches")
    expect(guide.locator("#L9")).to_have_class(re.compile("is-match"))


def test_a_line_in_the_address_is_shown(open_page: Opener, admin_user: User) -> None:
    page = open_page("/style/#L12", user=admin_user)
    expect(page.locator("#L12")).to_have_class(re.compile("is-target"))
    expect(page.locator("[data-log-follow]")).not_to_be_checked()


def test_j_and_k_walk_the_rows_but_not_while_typing(guide: Page) -> None:
    rows = guide.locator("[data-row-link]")
    guide.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    guide.keyboard.press("j")
    guide.keyboard.press("j")
    guide.keyboard.press("j")
    expect(rows.last).to_be_focused()
    guide.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    guide.keyboard.press("/")
    guide.keyboard.type("jk")
    expect(guide.locator("#global-search")).to_have_value("jk")
    expect(guide.locator("#global-search")).to_be_focused()


def test_focus_and_open_folds_survive_a_swap(guide: Page) -> None:
    guide.click("#part-fold summary")
    guide.fill("#part-note", "half a sentence")
    before = guide.locator("#part time").get_attribute("datetime")
    guide.wait_for_timeout(1100)
    guide.click("#part-again")
    expect(guide.locator("#part time")).not_to_have_attribute("datetime", before or "")
    expect(guide.locator("#part-again")).to_be_focused()
    assert guide.locator("#part-fold").get_attribute("open") is not None
    expect(guide.locator("#part-note")).to_have_value("half a sentence")


def test_a_refusal_becomes_a_notice_and_leaves_the_page_alone(guide: Page, complaints: list[str]) -> None:
    guide.click("text=Ask for what is refused")
    notice = guide.locator("#toasts [role=alert]")
    expect(notice).to_contain_text("Somebody else approved it while you were reading.")
    expect(guide.locator("#part-again")).to_be_visible()
    assert axe_findings(guide) == []
    notice.locator("[data-dismiss]").click()
    expect(notice).to_have_count(0)
    assert all("409" in complaint for complaint in complaints)
    complaints.clear()


def test_a_silent_server_is_said_once_and_taken_back(guide: Page, complaints: list[str]) -> None:
    guide.route("**/style/?part=again", lambda route: route.abort())
    guide.click("#part-again")
    guide.click("#part-again")
    expect(guide.locator("#toasts [data-message]")).to_have_count(1)
    expect(guide.locator("#part-again")).to_have_class(re.compile("is-stale"))
    guide.unroute("**/style/?part=again")
    guide.click("#part-again")
    expect(guide.locator("#toasts [data-message]")).to_have_count(0)
    assert all("htmx:" in complaint for complaint in complaints)
    complaints.clear()


def test_a_half_filled_form_is_not_lost_by_a_wrong_click(guide: Page) -> None:
    asked: list[str] = []
    guide.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    guide.locator("form[data-guard] [name=name]").fill("half")
    guide.click("nav.nav a >> nth=1", no_wait_after=True)
    guide.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert guide.url.endswith("/style/")


def test_paper_shows_folded_parts_and_hides_the_frame(guide: Page) -> None:
    folded = guide.locator(".plan-row:not([open]) .plan-row__body").first
    expect(folded).to_be_hidden()
    guide.emulate_media(media="print")
    expect(folded).to_be_visible()
    expect(guide.locator("nav.nav")).to_be_hidden()
    expect(guide.locator(".gate-card__buttons")).to_be_hidden()
    # A browser fetches the sheet for paper after all others.
    expect(guide.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    assert "TriFlow AI / production" in guide.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--print-line')"
    )


def test_on_a_phone_the_votes_stay_in_reach(open_page: Opener, admin_user: User) -> None:
    page = open_page("/style/", user=admin_user, width=360)
    approve = page.locator(".gate-card__buttons .button--primary")
    expect(approve).to_be_in_viewport()
    page.evaluate("scrollTo(0, 3000)")
    expect(approve).to_be_in_viewport()
    page.click(".nav__item--phone summary")
    expect(page.locator(".nav__item--phone .menu__item").first).to_be_in_viewport()
    assert axe_findings(page) == []
