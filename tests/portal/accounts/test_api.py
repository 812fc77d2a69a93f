"""users/ and tokens/ of the API."""

from __future__ import annotations

import pytest

from portal.accounts import hooks
from portal.accounts.models import ApiToken, User

USERS = "/api/v1/users/"
TOKENS = "/api/v1/tokens/"


@pytest.fixture
def colleagues(monkeypatch):
    """As the environments room sets it: people who share a tenant."""

    def visible(people, user):
        return people.filter(memberships__tenant__in=user.memberships.values("tenant")).distinct()

    monkeypatch.setattr(hooks.hooks, "visible_people", visible)


def names(response) -> list[str]:
    return [row["username"] for row in response.json()["results"]]


class TestUsers:
    def test_people_of_ones_tenants(self, api, operator, viewer, admin, outsider, colleagues):
        assert names(api(operator).get(USERS)) == ["admin", "operator", "viewer"]
        assert names(api(outsider).get(USERS)) == ["outsider"]

    def test_portal_administrators_see_all(self, api, operator, admin, outsider, colleagues):
        assert names(api(admin).get(USERS)) == ["admin", "operator", "outsider"]

    def test_the_others_do_not_exist(self, api, operator, outsider, colleagues):
        response = api(operator).get(f"{USERS}outsider/")
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"

    def test_without_a_room_one_sees_oneself(self, api, operator, viewer, monkeypatch):
        monkeypatch.setattr(hooks.hooks, "visible_people", hooks.only_oneself)
        assert names(api(operator).get(USERS)) == ["operator"]

    def test_holds_no_secret(self, api, operator, colleagues):
        row = api(operator).get(f"{USERS}operator/").json()
        assert row == {
            "username": "operator",
            "name": "Operator",
            "display_name": "Operator",
            "email": "operator@example.com",
            "is_active": True,
            "is_portal_admin": False,
            "time_zone": "",
        }

    def test_filter_and_pages(self, api, admin):
        User.objects.bulk_create(
            User(username=f"p{number:03}", password="!", is_active=number % 2 == 0) for number in range(130)
        )
        client = api(admin)
        found, url = [], f"{USERS}?is_active=true&page_size=40"
        while url:
            answer = client.get(url).json()
            found += [row["username"] for row in answer["results"]]
            url = answer["next"]
        assert found == ["admin", *(f"p{number:03}" for number in range(0, 130, 2))]

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_is_for_reading(self, api, admin, method):
        response = getattr(api(admin), method)(USERS, {}, format="json")
        assert response.status_code == 405
        assert response["Content-Type"] == "application/problem+json"

    def test_strangers(self, client, db):
        assert client.get(USERS).status_code == 401


class TestTokens:
    def test_makes_one_shown_once(self, api, api_client_of, operator, events):
        client = api(operator)
        response = client.post(TOKENS, {"name": "ci", "days": 7, "scopes": ["read"]}, format="json")
        assert response.status_code == 201
        assert "no-store" in response["Cache-Control"]
        answer = response.json()
        assert (answer["name"], answer["scopes"]) == ("ci", ["read"])
        assert api_client_of(answer["token"]).get(TOKENS).status_code == 200
        listed = client.get(TOKENS)
        assert [row["name"] for row in listed.json()["results"]] == ["ci", "test"]
        assert answer["token"] not in listed.content.decode()
        assert "digest" not in listed.content.decode()
        assert len(events("token.create")) == 2

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": ""},
            {"name": "x", "days": 400},
            {"name": "x", "days": "soon"},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["state.write"]},
            {"name": "x", "scopes": "read"},
            [],
        ],
    )
    def test_bad_input_is_a_problem_document(self, api, operator, body):
        response = api(operator).post(TOKENS, body, format="json")
        assert response.status_code == 400
        assert response.json()["errors"]
        assert ApiToken.objects.count() == 1

    def test_ends_one_and_again(self, api, operator, events):
        client = api(operator)
        prefix = client.post(TOKENS, {"name": "ci"}, format="json").json()["prefix"]
        assert client.delete(f"{TOKENS}{prefix}/").status_code == 204
        assert client.delete(f"{TOKENS}{prefix}/").status_code == 204
        assert ApiToken.objects.get(prefix=prefix).revoked_at is not None
        assert len(events("token.revoke")) == 1

    def test_others_tokens_do_not_exist(self, api, operator, admin):
        api(operator)
        theirs = ApiToken.objects.get(user=operator)
        client = api(admin)
        assert client.delete(f"{TOKENS}{theirs.prefix}/").status_code == 404
        assert [row["name"] for row in client.get(TOKENS).json()["results"]] == ["test"]
        theirs.refresh_from_db()
        assert theirs.revoked_at is None

    def test_strangers_and_other_methods(self, client, api, operator):
        assert client.post(TOKENS, {"name": "x"}, content_type="application/json").status_code == 401
        assert client.delete(f"{TOKENS}abc/").status_code == 401
        assert api(operator).put(TOKENS, {}, format="json").status_code == 405
        assert api(operator).get(f"{TOKENS}abc/").status_code == 405


def test_the_openapi_document_tells_of_both(api, operator):
    response = api(operator).get("/api/v1/schema/?format=json")
    assert response.status_code == 200
    paths = response.json()["paths"]
    assert set(paths["/api/v1/tokens/"]) == {"get", "post"}
    assert set(paths["/api/v1/users/"]) == {"get"}
    assert "token" in response.json()["components"]["securitySchemes"]


def test_an_unknown_address_of_the_api_is_a_problem_document(api, operator):
    response = api(operator).get("/api/v1/nowhere/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
