"""Tenants, accounts, memberships and resources in the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from environments.models import AwsAccount, Environment, Membership, Resource, Tenant
from portal.accounts.models import User
from tests.environments.recorded import outcomes

Api = Callable[..., APIClient]
V1 = "/api/v1/"


class TestTenants:
    def test_mine_only(self, api: Api, viewer: User, tenant: Tenant, other_tenant: Tenant) -> None:
        assert [row["id"] for row in api(viewer).get(f"{V1}tenants/").json()["results"]] == ["triflow"]
        assert api(viewer).get(f"{V1}tenants/triflow/").json()["name"] == "TriFlow AI"
        assert api(viewer).get(f"{V1}tenants/onno/").status_code == 404

    def test_a_portal_administrator_takes_one_in(self, api: Api, admin: User) -> None:
        body = {"slug": "sesami", "name": "Sesami", "links": [{"title": "Wiki", "url": "https://w.example"}]}
        answer = api(admin).post(f"{V1}tenants/", body, format="json")
        assert answer.status_code == 201, answer.json()
        assert answer.json()["links"] == [{"title": "Wiki", "url": "https://w.example"}]
        assert api(admin).post(f"{V1}tenants/", body, format="json").status_code == 400
        assert outcomes("tenant.create") == [("admin", "done")]

    def test_others_do_not(self, api: Api, operator: User) -> None:
        answer = api(operator).post(f"{V1}tenants/", {"slug": "mine", "name": "Mine"}, format="json")
        assert answer.status_code == 403
        assert outcomes("tenant.create") == [("operator", "refused")]

    def test_its_slug_stays(self, api: Api, admin: User, tenant: Tenant) -> None:
        body = {"slug": "renamed", "owner": "Somebody"}
        answer = api(admin).patch(f"{V1}tenants/triflow/", body, format="json")
        assert (answer.json()["slug"], answer.json()["owner"]) == ("triflow", "Somebody")

    def test_an_operator_may_not_edit(self, api: Api, operator: User) -> None:
        answer = api(operator).patch(f"{V1}tenants/triflow/", {"owner": "me"}, format="json")
        assert answer.status_code == 403
        assert outcomes("tenant.update") == [("operator", "refused")]


class TestAccounts:
    NEW = {"tenant": "triflow", "name": "live", "account_id": "210000000002", "external_id": "shared"}

    def test_mine_only(self, api: Api, viewer: User, place: Environment, other_account: AwsAccount) -> None:
        (row,) = api(viewer).get(f"{V1}accounts/").json()["results"]
        assert (row["account_id"], row["sandbox"]) == ("210000000001", True)
        assert row["environments"] == ["triflow.staging"]
        assert api(viewer).get(f"{V1}accounts/{row['id']}/").status_code == 200
        assert api(viewer).get(f"{V1}accounts/{other_account.pk}/").status_code == 404
        assert api(viewer).get(f"{V1}accounts/?tenant=onno").json()["results"] == []

    def test_registering_and_altering(self, api: Api, admin: User, tenant: Tenant) -> None:
        client = api(admin)
        made = client.post(f"{V1}accounts/", self.NEW, format="json")
        assert made.status_code == 201, made.json()
        assert "external_id" not in made.json()
        assert AwsAccount.objects.get().external_id == "shared"
        wrong = client.patch(f"{V1}accounts/{made.json()['id']}/", {"account_id": "12"}, format="json")
        assert "account_id" in wrong.json()["errors"]
        answer = client.patch(f"{V1}accounts/{made.json()['id']}/", {"kind": "aws"}, format="json")
        assert answer.json()["sandbox"] is False
        assert AwsAccount.objects.get().external_id == "shared"

    def test_an_operator_may_not(self, api: Api, operator: User, account: AwsAccount) -> None:
        assert api(operator).post(f"{V1}accounts/", self.NEW, format="json").status_code == 403
        answer = api(operator).patch(f"{V1}accounts/{account.pk}/", {"kind": "aws"}, format="json")
        assert answer.status_code == 403
        assert outcomes("account.create") + outcomes("account.update") == [("operator", "refused")] * 2

    def test_unseen_is_not_found(self, api: Api, outsider: User, account: AwsAccount) -> None:
        assert api(outsider).post(f"{V1}accounts/", self.NEW, format="json").status_code == 404
        assert api(outsider).patch(f"{V1}accounts/{account.pk}/", {}, format="json").status_code == 404


class TestMemberships:
    def test_of_my_tenants(self, api: Api, viewer: User, operator: User, outsider: User) -> None:
        rows = api(viewer).get(f"{V1}memberships/").json()["results"]
        assert [(row["user"], row["role"]) for row in rows] == [
            ("operator", "operator"),
            ("viewer", "viewer"),
        ]
        rows = api(viewer).get(f"{V1}memberships/?user=operator").json()["results"]
        assert [(row["tenant"], row["user"]) for row in rows] == [("triflow", "operator")]

    def test_giving_and_taking(self, api: Api, admin: User, viewer: User, tenant: Tenant) -> None:
        body = {"tenant": "triflow", "user": "viewer", "role": "approver"}
        given = api(admin).post(f"{V1}memberships/", body, format="json")
        assert given.status_code == 201
        path = f"{V1}memberships/{given.json()['id']}/"
        assert api(admin).delete(path).status_code == 204
        assert api(admin).delete(path).status_code == 404
        assert outcomes("membership.grant") + outcomes("membership.revoke") == [("admin", "done")] * 2

    def test_others_may_not(self, api: Api, operator: User, viewer: User) -> None:
        body = {"tenant": "triflow", "user": "operator", "role": "admin"}
        assert api(operator).post(f"{V1}memberships/", body, format="json").status_code == 403
        held = Membership.objects.get(user=viewer)
        assert api(operator).delete(f"{V1}memberships/{held.pk}/").status_code == 403
        assert outcomes("membership.grant") == [("operator", "refused")]
        assert outcomes("membership.revoke") == [("operator", "refused")]

    def test_unseen_is_not_found(self, api: Api, outsider: User, viewer: User) -> None:
        body = {"tenant": "triflow", "user": "outsider", "role": "admin"}
        assert api(outsider).post(f"{V1}memberships/", body, format="json").status_code == 404
        held = Membership.objects.get(user=viewer)
        assert api(outsider).delete(f"{V1}memberships/{held.pk}/").status_code == 404

    def test_nobody_of_that_name(self, api: Api, admin: User, tenant: Tenant) -> None:
        body = {"tenant": "triflow", "user": "nemo", "role": "viewer"}
        answer = api(admin).post(f"{V1}memberships/", body, format="json")
        assert answer.json()["errors"] == {"user": ["Nobody has this user name."]}


class TestResources:
    @pytest.fixture
    def subnets(self, place: Environment) -> None:
        Resource.objects.bulk_create(
            Resource(
                environment=place,
                address=f"module.network.aws_subnet.private[{n}]",
                module="module.network",
                type="aws_subnet" if n else "aws_vpc",
                name="private",
                provider_id=f"subnet-{n}",
                arn=f"arn:aws:ec2:ap-northeast-2:210000000001:subnet/subnet-{n}",
            )
            for n in range(60)
        )

    def test_are_found_by_environment_type_and_text(self, api: Api, viewer: User, subnets: None) -> None:
        def ids(query: str) -> list[str]:
            return [row["id"] for row in api(viewer).get(f"{V1}resources/?{query}").json()["results"]]

        assert len(ids("environment=triflow.staging")) == 50
        assert ids("type=aws_vpc") == ["subnet-0"]
        assert ids("q=subnet/subnet-59") == ["subnet-59"]
        assert ids("environment=triflow.nothing") == []

    def test_every_page_asks_the_same(self, api: Api, viewer: User, subnets: None) -> None:
        client = api(viewer)
        client.get(f"{V1}resources/")
        with CaptureQueriesContext(connection) as first:
            answer = client.get(f"{V1}resources/").json()
        with CaptureQueriesContext(connection) as second:
            rest = client.get(answer["next"]).json()
        assert len(rest["results"]) == 10
        assert rest["next"] is None
        assert len(first) == len(second)

    def test_of_others_are_unseen(self, api: Api, outsider: User, subnets: None) -> None:
        assert api(outsider).get(f"{V1}resources/").json()["results"] == []
