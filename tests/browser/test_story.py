"""The whole story as its people live it: real launcher, real worker, real Terraform, two real browsers.

An operator edits production, a second person lets it through on a phone, it is applied, an auditor finds all of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.demo.people import PASSWORD
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import find_terraform
from tests.browser.conftest import axe_findings, note_complaints, sideways
from tests.browser.portal_process import ROOT, PortalProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.terraform,
    pytest.mark.slow,
    pytest.mark.xdist_group("own_portal"),
]

BLUEPRINTS = ROOT / "tests/environments/runs/blueprints"
HERE = "/environments/triflow-ai/paper/"
SECRET = "a-very-secret-password-4711"
PHONE = 360
# A production environment whose resources are lines of a file: AWS has its own tests.
DESCRIBE = """
from environments import actions
from environments.blueprints.actions import define
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import Principal

admin, author = User.objects.get(username="admin"), User.objects.get(username="operator2")
paper = actions.create_environment(
    by=Principal(admin, "user", name=str(admin)), tenant=Tenant.objects.get(slug="triflow-ai"),
    slug="paper", name="paper mill", environment_class="production", blueprint="steps",
)
define(
    by=Principal(author, "user", name=str(author)), environment=paper, note="As ordered",
    variables={"label": "press", "steps": 3, "seconds": 4, "counter": "COUNTER"},
    sensitive={"password": "SECRET"},
)
"""
SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    try:
        find_terraform("")
    except TerraformMissing:
        pytest.skip("no Terraform on PATH")
    folder = tmp_path_factory.mktemp("story")
    running = PortalProcess(
        folder / "data",
        GATEHOUSE_DEMO="0",
        GATEHOUSE_BLUEPRINT_DIRS=f"{ROOT / 'terraform/blueprints'},{BLUEPRINTS}",
    )
    try:
        running.wait_until_ready()
        running.manage("demo", "--no-apply")
        script = DESCRIBE.replace("COUNTER", str(folder / "counter")).replace("SECRET", SECRET)
        running.manage("shell", script=script)
        yield running
    finally:
        running.stop()


@pytest.fixture
def counter(portal: PortalProcess) -> Path:
    """Where every applied step of Terraform's leaves a line."""
    return portal.folder.parent / "counter"


@pytest.fixture
def sign_in(chromium: Browser, portal: PortalProcess, complaints: list[str]) -> Iterator[SignIn]:
    """`sign_in("operator", "/path/", width=...)`: opens the path, is sent to the door, and signs in there."""
    contexts: list[BrowserContext] = []

    def opener(username: str, path: str, *, width: int = 1300) -> Page:
        view: Any = {"width": width, "height": 780 if width < 500 else 1000}
        context = chromium.new_context(viewport=view, accept_downloads=True, has_touch=width < 500)
        contexts.append(context)
        page = context.new_page()
        note_complaints(page, complaints)
        page.goto(portal.url + path)
        expect(page).to_have_url(re.compile("/accounts/sign-in/"))
        page.set_default_timeout(10_000)
        page.get_by_label("Name", exact=True).fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(portal.url + path)
        return page

    yield opener
    for context in contexts:
        context.close()


def test_the_whole_story(sign_in: SignIn, portal: PortalProcess, counter: Path) -> None:
    operator = sign_in("operator", HERE)
    address = edit_and_plan(operator)
    read_the_plan(operator)
    assert not counter.exists()

    approver = sign_in("approver", address, width=PHONE)
    approve_on_the_phone(approver)
    watch_it_happen(operator)
    expect(approver.locator("#change-live .page-head__eyebrow")).to_contain_text("Succeeded")
    assert sorted(counter.read_text().split()) == ["0", "1", "2"]

    find_it_in_the_activity(sign_in("auditor", "/activity/?tenant=triflow-ai&environment=paper"))
    only_look(sign_in("viewer", address))
    outsider = sign_in("outsider", "/inbox/")
    for path in (address, HERE, HERE + "activity/"):
        answer = outsider.goto(portal.url + path)
        assert answer is not None and answer.status == 404, path
    assert "paper" not in outsider.content()


def edit_and_plan(page: Page) -> str:
    """A wrong value is refused where it stands; then it is planned. Returns the change's path."""
    page.get_by_role("link", name="Definition", exact=True).click()
    page.get_by_role("link", name="Make the next").click()
    note = page.get_by_label("Note")
    page.get_by_label(re.compile("^label")).fill("Press 1")
    note.fill("The press has a new name")
    page.get_by_role("button", name="Save and plan").click()

    expect(page.get_by_text("Not saved: please check what is marked")).to_be_visible()
    field = page.get_by_label(re.compile("^label"))
    expect(field).to_have_value("Press 1")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby") or ""
    told = " ".join(page.locator(f"[id='{name}']").inner_text() for name in described.split())
    assert "Use small letters only." in told
    expect(page.get_by_label("Note")).to_have_value("The press has a new name")
    assert SECRET not in page.content()
    assert axe_findings(page) == []

    field.fill("engine")
    page.get_by_role("button", name="Save and plan").click()
    page.wait_for_url("**/changes/*/")
    return re.sub(r"^https?://[^/]+", "", page.url)


def read_the_plan(page: Page) -> None:
    """What would happen, the secret hidden; the requester is told why the vote is not theirs."""
    status = page.locator("#change-live .page-head__eyebrow")
    expect(status).to_contain_text("Needs approval", timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Create 4 resources in TriFlow AI paper mill")
    rows = page.locator("#resource-changes details.plan-row")
    expect(rows).to_have_count(4)
    step = rows.filter(has_text="terraform_data.step[0]")
    if step.get_attribute("open") is None:
        step.locator("summary").click()
    expect(step).to_contain_text("engine-0")
    holder = rows.filter(has_text="terraform_data.holder")
    if holder.get_attribute("open") is None:
        holder.locator("summary").click()
    expect(holder).to_contain_text("sensitive value")
    assert SECRET not in page.content()

    approve = page.locator("#gate").get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    expect(page.locator("#gate .action-off__why")).not_to_be_empty()
    expect(page.locator("#gate")).to_contain_text("Anna Approver")
    expect(page.locator("#ask-approve")).to_have_count(0)


def approve_on_the_phone(page: Page) -> None:
    """One card within reach, a dialog that says where and what, one press."""
    assert sideways(page) <= 0
    approve = page.locator("#gate").get_by_role("link", name="Approve")
    expect(approve).to_be_in_viewport()
    expect(page.locator(".gate-card")).to_have_count(1)
    approve.tap()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Create 4 resources in TriFlow AI paper mill")
    assert axe_findings(page) == []
    dialog.get_by_label("Comment").fill("Read on the train")
    dialog.get_by_role("button", name="Approve").tap()
    expect(page.locator(".votes")).to_contain_text("Anna Approver")


def watch_it_happen(page: Page) -> None:
    """The requester's page, untouched, moves by itself: applying, resource by resource, the log, the end."""
    page.evaluate("window.untouched = true")
    status = page.locator("#change-live .page-head__eyebrow")
    expect(status).to_contain_text("In progress: executing", timeout=30_000)
    progress = page.locator("#change-live .progress-list")
    row = progress.locator(".progress-row")
    # The holder is done at once, the steps take their seconds: both are seen side by side.
    expect(row.filter(has_text="terraform_data.holder")).to_contain_text("Done", timeout=30_000)
    expect(row.filter(has_text="terraform_data.step[0]")).to_contain_text("Running")
    expect(progress).to_contain_text("1 of 4 resources")
    lines = page.locator("[data-log-lines]")
    expect(lines).to_contain_text("terraform_data.step[1]: Creating", timeout=10_000)

    expect(status).to_contain_text("Succeeded", timeout=60_000)
    expect(lines).to_contain_text("Apply complete!")
    expect(page.locator("#gate")).to_contain_text("Read on the train")
    expect(page.locator("#change-live")).to_contain_text("4 of 4 resources")
    assert page.evaluate("window.untouched") is True
    assert SECRET not in page.content()


def find_it_in_the_activity(page: Page) -> None:
    """Request, vote, execution and state writes, each with who did it; the export says the same."""
    wanted = {
        "definition.create": "Oskar Operator",
        "change.request": "Oskar Operator",
        "change.awaiting_approval": "",
        "change.approve": "Anna Approver",
        "change.executing": "",
        "state.lock": "",
        "state.write": "",
        "change.succeeded": "",
    }
    rows = page.locator("table.events tbody tr")
    told = [
        (row.get_by_role("cell").nth(1).inner_text(), row.locator("[data-label=Who]").inner_text())
        for row in rows.all()
    ]
    for action, who in wanted.items():
        assert any(action == shown and who in actor for shown, actor in told), (action, told)
    approved = rows.filter(has=page.get_by_text("change.approve", exact=True))
    approved.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("Read on the train")
    assert axe_findings(page) == []
    page.go_back()

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    exported = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert set(wanted) <= {row["action"] for row in exported}
    assert SECRET not in content.decode()
    page.goto(re.sub(r"/activity/.*", "/activity/?action=audit.export", page.url))
    expect(rows.first).to_contain_text("Aron Auditor")


def only_look(page: Page) -> None:
    """A viewer reads everything and finds nothing to press."""
    expect(page.locator("#change-live")).to_contain_text("Succeeded")
    expect(page.locator(".gate-card__buttons")).to_have_count(0)
    page.goto(re.sub(r"/changes/.*", HERE, page.url))
    expect(page.get_by_role("heading", level=1)).to_contain_text("paper mill")
    expect(page.locator("main").get_by_role("link", name=re.compile("Edit|Choose|Request"))).to_have_count(0)
    expect(page.locator("main form[method=post]")).to_have_count(0)
    answer = page.goto(page.url + "define/")
    assert answer is not None and answer.status == 403
