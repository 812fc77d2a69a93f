"""Every page in every state, as each role meets it: nothing for axe to find, nothing to scroll sideways.

The database is the demonstration's, with changes written straight into it. GATEHOUSE_SHOTS=folder keeps a
picture of every page looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from environments import actions
from environments.changes.models import Change
from environments.models import Environment
from portal.accounts.actions import create_token
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.demo.build import build
from tests.browser import deployment_room, scenery, state_room
from tests.browser.conftest import axe_findings, note_complaints, session_cookie, sideways
from tests.cast import by

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WIDE, PHONE = 1300, 360
# The operator meets the same pages in the dark.
ROLES = ("viewer", "approver", "admin")
STATES = ("awaiting_approval", "executing", "failed", "interrupted", "rejected", "succeeded", "requested")
HERE = "/environments/triflow-ai/production/"
STAGING = "/environments/triflow-ai/staging/"
DEPLOYED = "/environments/onno/staging/"
SHOTS = os.environ.get("GATEHOUSE_SHOTS", "")


@dataclass
class World:
    """The demonstration with something going on: people by name, a change by its state."""

    people: dict[str, User]
    changes: dict[str, Change] = field(default_factory=dict)
    deployments: dict[str, Change] = field(default_factory=dict)

    @property
    def staging(self) -> Environment:
        return Environment.objects.select_related("tenant").by_key("triflow-ai.staging").get()

    def page(self, state: str) -> str:
        return f"/changes/{self.changes[state].uuid}/"


@pytest.fixture
def world(transactional_db: None, settings: Any) -> World:
    people = build()
    found = World(people)
    place = Environment.objects.select_related("tenant").by_key("triflow-ai.production").get()
    for state in STATES:
        fields = {}
        if state in ("failed", "interrupted"):
            fields = {
                "error_kind": "tool",
                "error_message": scenery.ERROR,
                "error_hint": "Ask for a larger quota.",
            }
        found.changes[state] = scenery.change_in(place, state, people["operator"], **fields)
    waiting, executing = found.changes["awaiting_approval"], found.changes["executing"]
    scenery.ask(waiting, people["security"], "Is there a snapshot of last night?\nWhich one?")
    scenery.vote(found.changes["rejected"], people["approver"], "reject", "Not on a Friday.")
    scenery.vote(found.changes["succeeded"], people["approver"], "approve", "Go.")
    scenery.under_way(executing)
    scenery.left_behind(found.changes["interrupted"])
    scenery.built(place, found.changes["succeeded"])
    found.changes["state_edit"] = state_room.furnish(place, found.staging, people)
    _other_environments(people)
    deployed = Environment.objects.select_related("tenant").by_key("onno.staging").get()
    found.deployments = deployment_room.furnish(deployed, people)
    return found


def _other_environments(people: dict[str, User]) -> None:
    admin = by(people["admin"])
    onno = {row.slug: row for row in Environment.objects.filter(tenant__slug="onno").select_related("tenant")}
    actions.place_hold(
        by=by(people["operator"]), environment=onno["production"], reason="Sales shows it to a customer today"
    )
    actions.retire_environment(by=admin, environment=onno["development"], confirm_name="onno.development")
    create_token(by=by(people["operator"]), name="a build server with a rather long name")


@dataclass
class Looker:
    """One role's browser, opened once: looks at pages and remembers what is wrong with them."""

    page: Page
    url: str
    role: str
    theme: str
    found: list[str] = field(default_factory=list)

    def look(self, name: str, path: str, status: int = 200) -> None:
        self.page.set_viewport_size({"width": WIDE, "height": 900})
        answer = self.page.goto(self.url + path)
        assert answer is not None
        if answer.status != status:
            self.found.append(f"{self.role} {name} {path}: status {answer.status}")
            return
        self.judge(name)

    def judge(self, name: str) -> None:
        """The page as it is now: axe when wide, sideways in both widths, one headline."""
        where = f"{self.role} {self.theme} {name}"
        self.found += [f"{where}: {finding}" for finding in axe_findings(self.page)]
        headlines = self.page.locator("h1").count()
        if headlines != 1:
            self.found.append(f"{where}: {headlines} headlines")
        for width in (WIDE, PHONE):
            self.page.set_viewport_size({"width": width, "height": 900 if width == WIDE else 780})
            if (wider := sideways(self.page)) > 0:
                self.found.append(f"{where}: {wider} px too wide at {width}")
            if SHOTS:
                place = Path(SHOTS) / f"{name}-{self.role}-{self.theme}-{width}.png"
                self.page.screenshot(path=place, full_page=True)


Looks = Callable[[str, str], Looker]


@pytest.fixture
def looker(chromium: Browser, live_server: Any, world: World, complaints: list[str]) -> Iterator[Looks]:
    """`looker("operator", "dark")` -> that person's browser in that theme."""
    contexts: list[BrowserContext] = []

    def one(role: str, theme: str = "light") -> Looker:
        scheme: Any = theme
        context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        if role in world.people:
            context.add_cookies([session_cookie(world.people[role], live_server.url)])
        page = context.new_page()
        note_complaints(page, complaints)
        return Looker(page, live_server.url, role, theme)

    yield one
    for context in contexts:
        context.close()


def everybodys(world: World) -> list[tuple[str, str]]:
    """Pages that every role may open; each sees other buttons on them."""
    return [
        ("overview", "/"),
        ("inbox", "/inbox/"),
        ("tenant", "/tenants/triflow-ai/"),
        ("environment", HERE),
        ("change-awaiting", world.page("awaiting_approval")),
    ]


def operators(world: World) -> list[tuple[str, str]]:
    """The working pages."""
    left = world.changes["interrupted"].leftovers.values_list("pk", flat=True)[0]
    return [
        ("tenants", "/tenants/"),
        ("environment-described", "/environments/triflow-ai/local/"),
        ("environment-on-hold", "/environments/onno/production/"),
        ("environment-retired", "/environments/onno/development/"),
        ("environment-never-applied", STAGING),
        ("environment-new", "/tenants/triflow-ai/environments/new/"),
        ("environment-edit", HERE + "edit/"),
        ("environment-clone", HERE + "clone/"),
        ("define", HERE + "define/"),
        ("definitions", HERE + "definitions/"),
        ("definition", HERE + "definitions/1/"),
        ("compare", HERE + "compare/?with=triflow-ai.staging"),
        ("changes", "/changes/"),
        ("changes-none", "/changes/?requested_by=nobody"),
        ("changes-of-environment", HERE + "changes/"),
        *((f"change-{state}", world.page(state)) for state in STATES[1:]),
        *(
            (f"leftover-{act}", f"{world.page('interrupted')}leftovers/{left}/{act}/")
            for act in ("import", "dismiss")
        ),
        ("policy", HERE + "policy/"),
        ("run-request", HERE + "runs/new/"),
        ("resources", HERE + "resources/"),
        ("resources-none", STAGING + "resources/"),
        ("outputs", HERE + "outputs/"),
        ("outputs-none", STAGING + "outputs/"),
        ("states", HERE + "states/"),
        ("states-none-locked", STAGING + "states/"),
        ("state-compare", HERE + "states/compare/?a=3&b=4"),
        ("state-compare-other", HERE + "states/compare/?a=1&b=4&kind=added"),
        ("state-rollback", HERE + "states/1/rollback/"),
        ("state-import", HERE + "states/import/"),
        ("state-command-line", HERE + "states/terraform/"),
        ("change-state-edit", world.page("state_edit")),
        ("drift", HERE + "drift/"),
        ("drift-none", STAGING + "drift/"),
        ("blueprints", "/blueprints/"),
        ("blueprint", "/blueprints/object-store/"),
        ("activity-of-environment", HERE + "activity/"),
        ("search", "/search/?q=triflow"),
        ("search-none", "/search/?q=nothing-of-that-name"),
        ("profile", "/accounts/profile/"),
        ("tokens", "/accounts/tokens/"),
    ]


def admins() -> list[tuple[str, str]]:
    """Pages of those who manage."""
    event = AuditEvent.objects.filter(action="environment.hold").latest("pk")
    return [
        ("members", "/tenants/triflow-ai/people/"),
        ("states-admin", STAGING + "states/"),
        ("state-tokens", HERE + "states/terraform/"),
        ("accounts", "/tenants/triflow-ai/accounts/"),
        ("account-new", "/tenants/triflow-ai/accounts/new/"),
        ("accounts-all", "/settings/aws-accounts/"),
        ("tenant-new", "/tenants/new/"),
        ("tenant-edit", "/tenants/triflow-ai/edit/"),
        ("policy-edit", HERE + "policy/"),
        ("retire", "/environments/triflow-ai/local/retire/"),
        ("activity", "/activity/"),
        ("activity-none", "/activity/?actor=nobody"),
        ("event", f"/activity/{event.uuid}/"),
        ("people", "/accounts/people/"),
        ("person", "/accounts/people/p/operator/"),
    ]


def test_the_pages_everybody_sees(looker: Looks, world: World) -> None:
    found: list[str] = []
    for role in ROLES:
        look = looker(role, "light")
        for name, path in everybodys(world):
            look.look(name, path)
        found += look.found
    auditor = looker("auditor", "light")
    auditor.look("activity", "/activity/?tenant=onno")
    assert found + auditor.found == []


def test_the_pages_of_operators_and_admins(looker: Looks, world: World) -> None:
    operator, admin = looker("operator", "light"), looker("admin", "light")
    for name, path in operators(world):
        operator.look(name, path)
    for name, path in admins():
        admin.look(name, path)
    assert operator.found + admin.found == []


def test_the_pages_of_deployments(looker: Looks, world: World) -> None:
    operator, dark = looker("operator", "light"), looker("operator", "dark")
    for name, path in deployment_room.pages(world.deployments, DEPLOYED):
        operator.look(name, path)
        if name in deployment_room.DARK:
            dark.look(name, path)
    operator.look("deployment-history-none", HERE + "deployments/")
    operator.look("services-none", HERE + "services/")
    assert operator.found + dark.found == []


def test_the_door_and_what_is_refused(looker: Looks, world: World) -> None:
    stranger, viewer, outsider = looker("", "light"), looker("viewer", "light"), looker("outsider", "light")
    stranger.look("sign-in", "/accounts/sign-in/?next=/changes/")
    stranger.page.fill("[name=username]", "operator")
    stranger.page.fill("[name=password]", "wrong")
    stranger.page.click("form button[type=submit]")
    stranger.judge("sign-in-refused")
    viewer.look("403-define", HERE + "define/", 403)
    viewer.look("403-people", "/accounts/people/", 403)
    viewer.look("403-activity", "/activity/", 403)
    viewer.look("run-request-denied", HERE + "runs/new/")
    outsider.look("404", world.page("awaiting_approval"), 404)
    outsider.look("overview-empty", "/")
    assert stranger.found + viewer.found + outsider.found == []


def test_the_dark_pages(looker: Looks, world: World) -> None:
    operator, admin = looker("operator", "dark"), looker("admin", "dark")
    dark = {"define", "compare", "changes", "run-request", "outputs", "states", "drift", "resources"}
    dark |= {"change-state-edit", "state-compare", "states-none-locked", "state-command-line"}
    dark |= {"change-executing", "change-failed", "change-rejected", "change-succeeded"}
    for name, path in [*everybodys(world), *(one for one in operators(world) if one[0] in dark)]:
        operator.look(name, path)
    for name, path in admins():
        if name in ("policy-edit", "activity", "event", "members"):
            admin.look(name, path)
    assert operator.found + admin.found == []


def test_a_dialog_and_an_open_plan(looker: Looks, world: World) -> None:
    """What only appears on a press: every resource unfolded, the confirm dialog, the menus."""
    look = looker("approver", "light")
    look.look("change-approver", world.page("awaiting_approval"))
    look.page.set_viewport_size({"width": WIDE, "height": 900})
    look.page.locator("#change-proposal").evaluate(
        "part => part.querySelectorAll('details').forEach(fold => { fold.open = true })"
    )
    look.judge("change-unfolded")
    look.page.get_by_role("link", name="Approve").click()
    assert look.page.get_by_role("dialog").is_visible()
    look.judge("change-dialog")
    assert look.found == []


def test_paper(looker: Looks, world: World) -> None:
    """Change page and audit log on A4: black on white, nothing cut off, folded parts open, no buttons."""
    operator, admin = looker("operator", "dark"), looker("admin", "dark")
    for look, name, path in (
        (operator, "change", world.page("awaiting_approval")),
        (admin, "activity", "/activity/"),
    ):
        page = look.page
        # The width of A4 less its margins, as the browser lays it out.
        page.set_viewport_size({"width": 718, "height": 1000})
        page.goto(look.url + path)
        page.emulate_media(media="print")
        # A browser fetches the sheet for paper after all others.
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        assert sideways(page) <= 0, name
        for hidden in ("nav.nav", ".topbar", "button", "input", "select", "textarea", ".filters"):
            assert page.locator(hidden).locator("visible=true").count() == 0, (name, hidden)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-print.png", full_page=True)
        pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
        assert 1 <= pages <= 12, (name, pages)
    text = operator.page.locator("#change-proposal").inner_text()
    assert "storage_encrypted" in text
    assert "alarm-23" in text
