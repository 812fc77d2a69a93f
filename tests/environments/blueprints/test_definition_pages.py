"""The pages of blueprints and definitions, as people use them."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from environments.blueprints.actions import define
from environments.blueprints.drafts import kept_secrets, sweep_drafts
from environments.blueprints.models import Draft
from environments.models import Definition, Environment
from environments.registry import registry
from portal.accounts.models import User
from tests.cast import by

SECRET = "correct horse battery"
FORM = "/environments/triflow/staging/define/"
SignIn = Callable[[User], Client]

GOOD = {
    "base": "0",
    "note": "first",
    "var-name": "web-service",
    "var-size": "2.50",
    "var-enabled": "false",
    "has-zones": "1",
    "var-zones-0": "a",
    "var-zones-5": "c",
    "has-tags": "1",
    "var-tags-key-0": "team",
    "var-tags-value-0": "core",
    "var-scaling.min": "2",
    "var-scaling.max": "",
    "has-rules": "1",
    "var-rules-0.port": "443",
    "var-rules-0.cidrs-0": "10.0.0.0/16",
    "var-extra": '{"a": [1]}',
    "var-password": SECRET,
    "action": "save",
}


@pytest.fixture
def planned() -> Iterator[list[Definition]]:
    """Stands in for the runs room: remembers what was asked to be planned."""
    before, asked = registry.plan, []

    def plan(_by: object, _environment: Environment, definition: Definition) -> str:
        asked.append(definition)
        return "/changes/the-plan/"

    registry.plan = plan
    yield asked
    registry.plan = before


@pytest.fixture
def pending() -> Iterator[None]:
    def ask(_environment: Environment) -> list[tuple[str, str, int]]:
        return [("Apply to staging", "/changes/1/", 1)]

    registry.pending.append(ask)
    yield
    registry.pending.remove(ask)


def text_of(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def value_of(html: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def test_a_definition_is_made_from_the_form(
    environment: Environment, operator: User, sign_in: SignIn
) -> None:
    answer = sign_in(operator).post(FORM, GOOD)
    assert answer.status_code == 302, text_of(answer)
    assert answer["Location"] == "/environments/triflow/staging/definitions/1/"
    made = environment.definitions.get()
    assert made.variables == {
        "name": "web-service",
        "size": 2.5,
        "enabled": False,
        "zones": ["a", "c"],
        "tags": {"team": "core"},
        "scaling": {"min": 2, "max": 4, "policy": {"step": 1, "hours": []}, "note": None},
        "rules": [{"port": 443, "cidrs": ["10.0.0.0/16"]}],
        "extra": {"a": [1]},
    }
    assert made.sensitive == {"password": SECRET}
    assert (made.note, made.author) == ("first", operator)


def test_wrong_input_is_refused_field_by_field_and_nothing_is_lost(
    environment: Environment, operator: User, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    wrong = GOOD | {
        "var-size": "1,000",
        "var-zones-5": "cc",
        "var-rules-0.port": "web",
        "var-extra": "{oops",
        "var-scaling.max": "1",
        "var-tags-key-1": "",
        "var-tags-value-1": "orphan",
        "note": "my <note>",
    }
    answer = client.post(FORM, wrong)
    html = text_of(answer)
    assert answer.status_code == 400
    assert not environment.definitions.exists()
    for name in ("var-size", "var-rules-0.port", "var-extra", "var-tags-key-1"):
        assert f'id="id_{name}_error"' in html, name
    assert "without thousands separators" in html
    assert "One letter each." in html
    assert "min must not exceed max." in html
    assert (value_of(html, "var-size"), value_of(html, "var-zones-1")) == ("1,000", "cc")
    assert value_of(html, "var-tags-value-1") == "orphan"
    assert value_of(html, "note") == "my &lt;note&gt;"
    assert "{oops" in html
    assert SECRET not in html
    # The secret was typed once; mending the rest is enough.
    again = client.post(FORM, GOOD | {"var-password": ""})
    assert again.status_code == 302
    assert environment.definitions.get().sensitive == {"password": SECRET}
    assert not Draft.objects.exists()


def test_a_typed_secret_is_kept_for_its_owner_and_an_hour(
    environment: Environment, operator: User, operator2: User, sign_in: SignIn
) -> None:
    sign_in(operator).post(FORM, GOOD | {"var-size": "x"})
    assert kept_secrets(operator, environment) == {"password": SECRET}
    assert kept_secrets(operator2, environment) == {}
    html = text_of(sign_in(operator2).post(FORM, GOOD | {"var-password": ""}))
    assert "id_var-password" in html and "is required" in html
    Draft.objects.filter(user=operator).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert kept_secrets(operator, environment) == {}
    assert sweep_drafts() == 1


def test_secrets_are_write_only(environment: Environment, operator: User, sign_in: SignIn) -> None:
    client = sign_in(operator)
    client.post(FORM, GOOD)
    html = text_of(client.get(FORM))
    assert SECRET not in html
    assert 'placeholder="kept unless you type a new one"' in html
    assert value_of(html, "var-password") == ""
    client.post(FORM, GOOD | {"base": "1", "var-password": "", "var-size": "9"})
    assert environment.definitions.first().sensitive == {"password": SECRET}  # type: ignore[union-attr]
    client.post(FORM, GOOD | {"base": "2", "var-password": SECRET + " new"})
    assert environment.definitions.first().sensitive == {"password": SECRET + " new"}  # type: ignore[union-attr]
    cleared = client.post(FORM, GOOD | {"base": "3", "var-password": "", "clear-password": "1"})
    assert cleared.status_code == 400 and "is required" in text_of(cleared)
    for page in ("definitions/3/", "compare/?a=1&b=3", "definitions/"):
        assert SECRET not in text_of(client.get(f"/environments/triflow/staging/{page}"))


def test_the_form_shows_what_is_in_force(environment: Environment, operator: User, sign_in: SignIn) -> None:
    client = sign_in(operator)
    client.post(FORM, GOOD)
    html = text_of(client.get(FORM))
    assert value_of(html, "var-size") == "2.5"
    assert value_of(html, "var-zones-1") == "c"
    assert value_of(html, "var-tags-key-0") == "team"
    assert value_of(html, "var-scaling.max") == "4"
    assert value_of(html, "var-rules-0.cidrs-0") == "10.0.0.0/16"
    assert value_of(html, "base") == "1"
    assert re.search(r'<option value="false" selected>', html)


def test_emptying_a_list_is_not_the_default(
    environment: Environment, operator: User, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    without = {k: v for k, v in GOOD.items() if not k.startswith("var-zones")}
    assert client.post(FORM, without).status_code == 302
    assert environment.definitions.get().variables["zones"] == []
    del without["has-zones"]
    client.post(FORM, without | {"base": "1"})
    assert "zones" not in environment.definitions.first().variables  # type: ignore[union-attr]


def test_an_unchanged_form_makes_no_definition(
    environment: Environment, operator: User, sign_in: SignIn, planned: list[Definition]
) -> None:
    client = sign_in(operator)
    client.post(FORM, GOOD)
    again = GOOD | {"base": "1", "var-password": ""}
    assert client.post(FORM, again)["Location"].endswith("/definitions/1/")
    assert client.post(FORM, again | {"action": "plan"})["Location"] == "/changes/the-plan/"
    assert environment.definitions.count() == 1
    assert [one.number for one in planned] == [1]


def test_save_and_plan_is_one_press(
    environment: Environment, operator: User, sign_in: SignIn, planned: list[Definition]
) -> None:
    answer = sign_in(operator).post(FORM, GOOD | {"action": "plan"})
    assert answer["Location"] == "/changes/the-plan/"
    assert planned == [environment.definitions.get()]


def test_a_colleagues_newer_definition_is_seen(
    environment: Environment, operator: User, operator2: User, sign_in: SignIn
) -> None:
    define(
        by=by(operator2), environment=environment, variables={"name": "other"}, sensitive={"password": SECRET}
    )
    client = sign_in(operator)
    answer = client.post(FORM, GOOD)
    html = text_of(answer)
    assert answer.status_code == 409
    assert "Definition 1 was saved in the meantime" in html
    assert value_of(html, "var-name") == "web-service"
    assert value_of(html, "base") == "1"
    assert environment.definitions.count() == 1
    assert client.post(FORM, GOOD | {"base": "1", "var-password": ""}).status_code == 302


def test_pending_changes_are_named(
    environment: Environment, operator: User, sign_in: SignIn, pending: None
) -> None:
    client = sign_in(operator)
    client.post(FORM, GOOD)
    client.post(FORM, GOOD | {"base": "1", "var-size": "9"})
    for page in (FORM, "/environments/triflow/staging/definitions/2/"):
        assert "Apply to staging" in text_of(client.get(page)), page


def test_who_sees_what(
    environment: Environment, operator: User, viewer: User, outsider: User, sign_in: SignIn
) -> None:
    sign_in(operator).post(FORM, GOOD)
    pages = [
        f"/environments/triflow/staging/{page}" for page in ("definitions/", "definitions/1/", "compare/")
    ]
    for page in pages:
        assert sign_in(viewer).get(page).status_code == 200, page
        assert sign_in(outsider).get(page).status_code == 404, page
        assert Client().get(page).status_code == 302, page
    assert sign_in(outsider).get(FORM).status_code == 404
    refused = sign_in(viewer).get(FORM)
    assert refused.status_code == 403
    assert sign_in(viewer).post(FORM, GOOD).status_code == 403
    assert environment.definitions.count() == 1


def test_promotion_preview(
    environment: Environment, production: Environment, operator: User, outsider: User, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    client.post(FORM, GOOD)
    client.post(FORM.replace("staging", "production"), GOOD | {"var-size": "50"})
    html = text_of(client.get("/environments/triflow/staging/compare/?with=triflow.production"))
    assert "1 value differs" in html
    assert "TriFlow AI Production, definition 1" in html
    assert client.get("/environments/triflow/staging/compare/?with=onno.production").status_code == 404
    assert client.get("/environments/triflow/staging/compare/?a=99").status_code == 404


def test_blueprint_pages(environment: Environment, viewer: User, sign_in: SignIn, workshop: Path) -> None:
    (workshop / "README.md").write_text(
        "# Work <b>shop</b>\n\nMakes **things** with `tools`.\n\n<script>alert(1)</script>\n\n"
        "| a | b |\n|---|---|\n| [x](javascript:alert(1)) | [y](https://example.com/?a=1&b=2) |\n\n"
        "- one\n- two\n"
    )
    client = sign_in(viewer)
    listed = text_of(client.get("/blueprints/"))
    assert "workshop" in listed
    html = text_of(client.get("/blueprints/workshop/"))
    assert "<script>alert" not in html and "&lt;script&gt;" in html
    assert "<strong>things</strong>" in html and "<li>one</li>" in html
    assert 'href="javascript' not in html
    assert 'href="https://example.com/?a=1&amp;b=2"' in html
    assert "Staging" in html
    assert client.get("/blueprints/none/").status_code == 404


def test_a_broken_blueprint_says_where(
    environment: Environment, viewer: User, sign_in: SignIn, workshop: Path
) -> None:
    (workshop / "broken.tf").write_text('variable "x" {\n  type = nonsense\n}\n')
    client = sign_in(viewer)
    assert "broken.tf, line 2" in text_of(client.get("/blueprints/"))
    answer = client.get("/blueprints/workshop/")
    assert answer.status_code == 422
    assert "broken.tf, line 2" in text_of(answer)


def test_addresses() -> None:
    assert reverse("blueprints:define", args=["triflow", "staging"]) == FORM
    assert reverse("blueprints:list") == "/blueprints/"
