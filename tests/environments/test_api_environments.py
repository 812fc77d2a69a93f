"""Environments in the API: the same acts, the same refusals, problem documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from environments.models import AwsAccount, Definition, Environment, Hold, Tenant
from environments.registry import registry
from portal.accounts.models import User
from portal.core.errors import InvalidInput
from tests.environments.recorded import last, outcomes

Api = Callable[..., APIClient]
ALL = "/api/v1/environments/"
ONE = f"{ALL}triflow.staging/"
NEW = {"tenant": "triflow", "name": "Customer B"}


@pytest.fixture(autouse=True)
def offered() -> Iterator[None]:
    before, registry.blueprints = registry.blueprints, lambda: ("web-service",)
    yield
    registry.blueprints = before


@pytest.fixture
def defining() -> Iterator[list[Any]]:
    """Stands in for the blueprints room: refuses a variable called "bad"."""
    before, asked = registry.define, []

    def define(_by: object, environment: Environment, variables: Any) -> None:
        asked.append((environment.key, dict(variables)))
        if "bad" in variables:
            raise InvalidInput({"bad": ["is not a variable"]})

    registry.define = define
    yield asked
    registry.define = before


def test_one_by_its_id(api: Api, viewer: User, place: Environment) -> None:
    found = api(viewer).get(ONE).json()
    assert found["id"] == "triflow.staging"
    assert (found["tenant"], found["tenant_name"], found["name"]) == ("triflow", "TriFlow AI", "staging")
    assert (found["account"], found["sandbox"]) == ("210000000001", True)
    assert found["status"]["terraform"]["state"] == "unknown"
    assert found["actions"]["can_edit"]["allowed"] is False
    assert "Operator" in found["actions"]["can_edit"]["reason"]


@pytest.mark.parametrize("path", [ONE, f"{ALL}nowhere/", f"{ALL}triflow.nothing/"])
def test_unseen_is_not_found(api: Api, outsider: User, place: Environment, path: str) -> None:
    answer = api(outsider).get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("act", ["clone", "hold", "release", "retire"])
def test_acts_on_the_unseen_are_not_found(api: Api, outsider: User, place: Environment, act: str) -> None:
    body = {"name": "x", "reason": "x", "confirm_name": "triflow.staging"}
    assert api(outsider).post(f"{ONE}{act}/", body, format="json").status_code == 404
    assert api(outsider).patch(ONE, body, format="json").status_code == 404


def test_strangers_get_401(place: Environment) -> None:
    assert APIClient().get(ONE).status_code == 401


def test_the_list_is_narrowed_and_holds_only_what_i_may_see(
    api: Api, viewer: User, place: Environment, other_tenant: Tenant
) -> None:
    Environment.objects.create(tenant=other_tenant, slug="live", name="live")
    Environment.objects.create(tenant=place.tenant, slug="live", name="live", blueprint="web-service")
    Environment.objects.create(tenant=place.tenant, slug="old", name="old", retired_at=timezone.now())

    def ids(query: str = "") -> list[str]:
        return [row["id"] for row in api(viewer).get(f"{ALL}?{query}").json()["results"]]

    assert ids() == ["triflow.live", "triflow.staging"]
    assert ids("blueprint=web-service") == ["triflow.live"]
    assert ids("environment_class=staging") == ["triflow.staging"]
    assert ids("tenant=onno") == []
    assert ids("retired=true") == ["triflow.old"]
    assert ids("page_size=1") == ["triflow.live"]


def test_the_list_asks_as_much_for_one_as_for_fifty(api: Api, viewer: User, place: Environment) -> None:
    client = api(viewer)
    client.get(ALL)
    with CaptureQueriesContext(connection) as one:
        client.get(ALL)
    for n in range(49):
        made = Environment.objects.create(tenant=place.tenant, slug=f"e{n}", name=f"e{n}", cloned_from=place)
        Hold.objects.create(environment=made, reason="x", placed_by=viewer)
    with CaptureQueriesContext(connection) as fifty:
        assert len(client.get(ALL).json()["results"]) == 50
    assert len(fifty) == len(one)


class TestCreating:
    def test_makes_a_short_name_of_the_name(self, api: Api, operator: User, account: AwsAccount) -> None:
        body = {**NEW, "account": "210000000001", "links": [{"url": "https://x.example"}]}
        answer = api(operator).post(ALL, body, format="json")
        assert answer.status_code == 201, answer.json()
        assert answer.json()["id"] == "triflow.customer-b"
        assert answer.json()["links"] == [{"title": "https://x.example", "url": "https://x.example"}]
        assert last("environment.create").actor_kind == "token"

    @pytest.mark.parametrize("by_what", ["name", "account_id", "pk"])
    def test_finds_the_account_by(self, api: Api, operator: User, account: AwsAccount, by_what: str) -> None:
        body = {**NEW, "account": str(getattr(account, by_what))}
        assert api(operator).post(ALL, body, format="json").json()["account_name"] == account.name

    def test_with_variables_the_first_definition_is_made_too(
        self, api: Api, operator: User, tenant: Tenant, defining: list[Any]
    ) -> None:
        body = {**NEW, "blueprint": "web-service", "variables": {"size": 2}}
        assert api(operator).post(ALL, body, format="json").status_code == 201
        assert defining == [("triflow.customer-b", {"size": 2})]

    def test_or_neither(self, api: Api, operator: User, tenant: Tenant, defining: list[Any]) -> None:
        body = {**NEW, "blueprint": "web-service", "variables": {"bad": 2}}
        answer = api(operator).post(ALL, body, format="json")
        assert answer.status_code == 400
        assert answer.json()["errors"] == {"variables.bad": ["is not a variable"]}
        assert not Environment.objects.exists()

    def test_an_admin_writes_no_definition(
        self, api: Api, admin: User, tenant: Tenant, defining: list[Any]
    ) -> None:
        body = {**NEW, "blueprint": "web-service", "variables": {}}
        assert api(admin).post(ALL, body, format="json").status_code == 403
        assert not Environment.objects.exists()
        assert outcomes("environment.create") == [("admin", "refused")]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("blueprint", "moonbase"),
            ("account", "999999999999"),
            ("environment_class", "moon"),
            ("slug", "No!"),
            ("links", [{"url": "javascript:1"}]),
            ("variables", {"size": 1}),
        ],
    )
    def test_wrong_input_names_the_field(
        self, api: Api, operator: User, tenant: Tenant, field: str, value: Any
    ) -> None:
        answer = api(operator).post(ALL, {**NEW, field: value}, format="json")
        assert answer.status_code == 400
        named = "blueprint" if field == "variables" else field
        assert list(answer.json()["errors"]) == [named]
        assert not Environment.objects.exists()

    def test_another_tenants_account_does_not_exist(
        self, api: Api, operator: User, tenant: Tenant, other_account: AwsAccount
    ) -> None:
        body = {**NEW, "account": str(other_account.pk)}
        assert api(operator).post(ALL, body, format="json").status_code == 400

    def test_viewers_do_not(self, api: Api, viewer: User) -> None:
        answer = api(viewer).post(ALL, NEW, format="json")
        assert answer.status_code == 403
        assert "one of these roles" in answer.json()["detail"]
        assert outcomes("environment.create") == [("viewer", "refused")]

    def test_in_an_unseen_tenant_is_not_found(self, api: Api, outsider: User, tenant: Tenant) -> None:
        assert api(outsider).post(ALL, NEW, format="json").status_code == 404


class TestActs:
    def test_edit(self, api: Api, operator: User, place: Environment) -> None:
        answer = api(operator).patch(ONE, {"owner": "Ops", "account": None}, format="json")
        assert (answer.json()["owner"], answer.json()["account"]) == ("Ops", None)
        assert answer.json()["name"] == "staging"
        assert outcomes("environment.update") == [("operator", "done")]

    def test_edit_is_refused(self, api: Api, viewer: User, place: Environment) -> None:
        assert api(viewer).patch(ONE, {"owner": "me"}, format="json").status_code == 403
        assert outcomes("environment.update") == [("viewer", "refused")]

    def test_clone_keeps_the_account_unless_told(self, api: Api, operator: User, place: Environment) -> None:
        Definition.objects.create(
            environment=place, number=4, blueprint="b", snapshot="0" * 64, variables={"a": 1}, author=operator
        )
        answer = api(operator).post(f"{ONE}clone/", {"name": "Blue"}, format="json")
        assert answer.status_code == 201
        made = answer.json()
        assert (made["id"], made["cloned_from"]) == ("triflow.blue", "triflow.staging")
        assert (made["account"], made["definition"]) == ("210000000001", 1)
        again = api(operator).post(f"{ONE}clone/", {"name": "Blue"}, format="json")
        assert again.status_code == 400

    def test_clone_without_an_account(self, api: Api, operator: User, place: Environment) -> None:
        answer = api(operator).post(f"{ONE}clone/", {"name": "Blue", "account": None}, format="json")
        assert answer.json()["account"] is None

    def test_hold_and_release(self, api: Api, operator: User, place: Environment) -> None:
        client, until = api(operator), timezone.now() + timedelta(hours=2)
        held = client.post(f"{ONE}hold/", {"reason": "audit", "until": until}, format="json")
        assert held.status_code == 201
        assert held.json()["hold"]["placed_by"] == "operator"
        assert held.json()["actions"]["can_hold"] == {"allowed": False, "reason": "It is on hold already."}
        assert client.post(f"{ONE}hold/", {"reason": "again"}, format="json").status_code == 409
        released = client.post(f"{ONE}release/")
        assert released.json()["hold"] is None
        assert client.post(f"{ONE}release/").status_code == 409
        assert outcomes("environment.hold") == [("operator", "done"), ("operator", "refused")]

    def test_hold_is_refused(self, api: Api, viewer: User, place: Environment) -> None:
        assert api(viewer).post(f"{ONE}hold/", {"reason": "x"}, format="json").status_code == 403
        assert not Hold.objects.exists()

    def test_retire(self, api: Api, admin: User, place: Environment) -> None:
        client = api(admin)
        assert client.post(f"{ONE}retire/", {"confirm_name": "x"}, format="json").status_code == 400
        answer = client.post(f"{ONE}retire/", {"confirm_name": "triflow.staging"}, format="json")
        assert answer.json()["retired_at"] is not None
        again = client.post(f"{ONE}retire/", {"confirm_name": "triflow.staging"}, format="json")
        assert again.status_code == 409

    @pytest.mark.parametrize("act", ["clone", "hold", "release", "retire"])
    def test_are_posted(self, api: Api, admin: User, place: Environment, act: str) -> None:
        assert api(admin).get(f"{ONE}{act}/").status_code == 405

    def test_a_reading_token_acts_on_nothing(self, api: Api, operator: User, place: Environment) -> None:
        answer = api(operator, scopes=["read"]).post(f"{ONE}hold/", {"reason": "x"}, format="json")
        assert answer.status_code == 403
        assert not Hold.objects.exists()
