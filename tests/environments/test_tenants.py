"""Taking in a tenant, keeping its facts true, and looking at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments.models import AwsAccount, Environment, Tenant
from portal.accounts.models import User
from tests.environments.recorded import last, outcomes

SignIn = Callable[[User], Client]
NEW = {
    "slug": "sesami",
    "name": "Sesami",
    "currency": "USD",
    "repository": "https://git.example/sesami",
    "links": "Runbook for nights https://wiki.example/run\nhttps://plain.example",
}


def test_a_portal_administrator_takes_in_a_tenant(sign_in: SignIn, admin: User) -> None:
    answer = sign_in(admin).post("/tenants/new/", NEW)
    made = Tenant.objects.get(slug="sesami")
    assert answer["Location"] == "/tenants/sesami/"
    assert made.links == [
        {"title": "Runbook for nights", "url": "https://wiki.example/run"},
        {"title": "https://plain.example", "url": "https://plain.example"},
    ]
    assert last("tenant.create").after["name"] == "Sesami"  # type: ignore[index]


def test_others_do_not(sign_in: SignIn, operator: User) -> None:
    assert sign_in(operator).post("/tenants/new/", NEW).status_code == 403
    assert not Tenant.objects.filter(slug="sesami").exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("slug", "Big Name", "lower-case"),
        ("slug", "triflow", "already exists"),
        ("name", "", "required"),
        ("links", "bad javascript:alert(1)", "no address"),
    ],
)
def test_wrong_input_is_said_beside_the_field_and_nothing_typed_is_lost(
    sign_in: SignIn, admin: User, tenant: Tenant, field: str, value: str, said: str
) -> None:
    answer = sign_in(admin).post("/tenants/new/", {**NEW, field: value})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "Runbook for nights" in answer.content.decode() or field == "links"
    assert Tenant.objects.count() == 1


def test_its_admin_keeps_the_facts_true(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    form = {"name": "TriFlow", "currency": "KRW", "owner": "Tech lead"}
    assert sign_in(admin).post("/tenants/triflow/edit/", form).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.name, tenant.slug, tenant.owner) == ("TriFlow", "triflow", "Tech lead")
    event = last("tenant.update")
    assert event.before["name"] == "TriFlow AI"  # type: ignore[index]
    assert event.after["name"] == "TriFlow"  # type: ignore[index]


def test_an_operator_may_not(sign_in: SignIn, operator: User, tenant: Tenant) -> None:
    client = sign_in(operator)
    assert "This needs one of these roles" in client.get("/tenants/triflow/edit/").content.decode()
    answer = client.post("/tenants/triflow/edit/", {"name": "Mine", "currency": "USD"})
    assert answer.status_code == 403
    assert "Admin" in answer.content.decode()
    tenant.refresh_from_db()
    assert tenant.name == "TriFlow AI"
    assert outcomes("tenant.update") == [("operator", "refused")]


def test_a_wrong_edit_leaves_the_shown_tenant_as_it_is(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    answer = sign_in(admin).post("/tenants/triflow/edit/", {"name": "", "currency": "USD"})
    assert answer.status_code == 400
    assert "Edit TriFlow AI" in answer.content.decode()


def test_the_page_shows_environments_people_and_accounts(
    sign_in: SignIn, viewer: User, place: Environment, account: AwsAccount
) -> None:
    page = sign_in(viewer).get("/tenants/triflow/").content.decode()
    assert "Described only: no blueprint yet" in page
    assert "210000000001" in page
    assert "Viewer" in page


def test_the_list_has_only_my_tenants(
    sign_in: SignIn, viewer: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    page = sign_in(viewer).get("/tenants/").content.decode()
    assert "TriFlow AI" in page
    assert "Onno" not in page


def test_the_tenant_page_asks_as_much_for_one_environment_as_for_twenty(
    sign_in: SignIn, viewer: User, tenant: Tenant, place: Environment, django_assert_num_queries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(viewer)
    client.get("/tenants/triflow/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/tenants/triflow/")
    Environment.objects.bulk_create(
        Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}", account=place.account) for n in range(20)
    )
    with django_assert_num_queries(len(one)):
        client.get("/tenants/triflow/")
