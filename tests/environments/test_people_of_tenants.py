"""What memberships say on the pages of people."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from rest_framework.test import APIClient

from environments.models import Membership, Role, Tenant
from environments.people import summaries
from portal.accounts.models import User
from tests.cast import member

SignIn = Callable[[User], Client]


def names(client: APIClient) -> set[str]:
    return {row["username"] for row in client.get("/api/v1/users/").json()["results"]}


def test_people_know_the_people_of_their_tenants(
    api: Callable[[User], APIClient], viewer: User, operator: User, outsider: User, other_tenant: Tenant
) -> None:
    assert names(api(viewer)) == {"viewer", "operator"}
    assert names(api(outsider)) == {"outsider"}
    Membership.objects.create(user=outsider, tenant=viewer.memberships.get().tenant, role=Role.VIEWER)
    assert names(api(outsider)) == {"viewer", "operator", "outsider"}


def test_who_has_no_tenant_knows_themselves(
    api: Callable[[User], APIClient], viewer: User, operator: User
) -> None:
    viewer.memberships.all().delete()
    assert names(api(viewer)) == {"viewer"}


def test_the_list_of_people_says_their_roles_in_one_query(
    tenant: Tenant, other_tenant: Tenant, django_assert_num_queries
) -> None:
    people = [member(f"p{n}", tenant, Role.VIEWER, Role.APPROVER) for n in range(5)]
    Membership.objects.create(user=people[0], tenant=other_tenant, role=Role.ADMIN)
    with django_assert_num_queries(1):
        found = summaries(people)
    assert found[people[0].pk] == "Onno: Admin; TriFlow AI: Approver, Viewer"
    assert found[people[1].pk] == "TriFlow AI: Approver, Viewer"


def test_a_persons_page_has_their_roles(sign_in: SignIn, admin: User, operator: User) -> None:
    page = sign_in(admin).get("/accounts/people/p/operator/").content.decode()
    assert 'href="/tenants/triflow/people/"' in page
    assert '<span class="tag">Operator</span>' in page
