"""A token opens the API: which, for what, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.exceptions import Throttled

from portal.accounts import actions, throttling
from portal.accounts.authentication import open_with_token
from portal.accounts.models import ApiToken
from portal.audit.models import AuditEvent
from tests.cast import by

USERS = "/api/v1/users/"
TOKENS = "/api/v1/tokens/"


@pytest.fixture
def made(operator):
    return actions.create_token(by=by(operator), name="ci")


def test_opens_and_remembers_when(api_client_of, made):
    token, plain = made
    assert api_client_of(plain).get(USERS).status_code == 200
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(seconds=5)


def test_its_last_use_is_written_at_most_once_a_minute(api_client_of, made):
    token, plain = made
    earlier = timezone.now() - timedelta(seconds=30)
    ApiToken.objects.update(last_used_at=earlier)
    with CaptureQueriesContext(connection) as asked:
        api_client_of(plain).get(USERS)
    assert [query["sql"] for query in asked if query["sql"].startswith("UPDATE")] == []
    token.refresh_from_db()
    assert token.last_used_at == earlier
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    api_client_of(plain).get(USERS)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(seconds=5)


def test_acts_in_the_log_as_a_token_of_its_owner(api_client_of, made, events):
    _token, plain = made
    api_client_of(plain).post(TOKENS, {"name": "child"}, format="json")
    event = events("token.create")[-1]
    assert (event.actor_kind, event.actor_id, event.actor_name) == (
        "token",
        "operator",
        "Operator (token ci)",
    )


def wrong(plain: str) -> list[str]:
    mark, prefix, secret = plain.split("_")
    return [
        f"{mark}_{prefix}_{'0' * len(secret)}",
        f"{mark}_ffffffffff_{secret}",
        plain[:-1],
        plain + "0",
        f"ghx_{prefix}_{secret}",
        "ghs_",
        "x",
        prefix,
        "töken",
    ]


def test_a_wrong_text_does_not_open(api_client_of, made):
    for text in wrong(made[1]):
        response = api_client_of(text).get(USERS)
        assert response.status_code == 401, text
        assert response["Content-Type"] == "application/problem+json"
        assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("header", ["Token", "Token a b", "token"])
def test_a_broken_header_does_not_open(client, made, header):
    assert client.get(USERS, HTTP_AUTHORIZATION=header).status_code == 401


def test_a_wrong_header_does_not_fall_back_to_the_session(sign_in, operator):
    assert sign_in(operator).get(USERS, HTTP_AUTHORIZATION="Token ghs_x_y").status_code == 401


def test_no_header_is_401(client, db):
    response = client.get(USERS)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_revoked_expired_and_orphaned_ones_do_not_open(api_client_of, made, operator, admin):
    token, plain = made
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api_client_of(plain).get(USERS).status_code == 401
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert api_client_of(plain).get(USERS).status_code == 200
    operator.is_active = False
    operator.save()
    assert api_client_of(plain).get(USERS).status_code == 401
    operator.is_active = True
    operator.save()
    actions.revoke_token(by=by(admin), token=token)
    assert api_client_of(plain).get(USERS).status_code == 401


def test_failures_are_audited_without_the_text(api_client_of, made, events):
    _token, plain = made
    secret = plain.rsplit("_", 1)[1]
    api_client_of(plain[:-1] + ("0" if plain[-1] != "0" else "1")).get(USERS)
    [event] = events("token.use")
    assert (event.outcome, event.target_id) == ("refused", plain.split("_")[1])
    assert secret[:-1] not in str(list(AuditEvent.objects.values()))


def test_many_failures_are_neither_answered_nor_written_down(api_client_of, made, events):
    _token, plain = made
    for _try in range(20):
        assert api_client_of("ghs_a_b").get(USERS).status_code == 401
    for _try in range(3):
        response = api_client_of("ghs_a_b").get(USERS)
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 900
    assert len(events("token.use")) == 20
    # A colleague behind the same address goes on.
    assert api_client_of(plain).get(USERS).status_code == 200


def test_reading_tokens_do_not_write(api, operator):
    client = api(operator, scopes=["read"])
    assert client.get(TOKENS).status_code == 200
    response = client.post(TOKENS, {"name": "child", "scopes": ["read"]}, format="json")
    assert response.status_code == 403
    assert "write" in response.json()["detail"]
    assert ApiToken.objects.count() == 1


def test_a_token_of_one_environment_opens_nothing_else(api, operator):
    client = api(operator, environment_id="triflow.staging")
    response = client.get(USERS)
    assert response.status_code == 403
    assert "one environment" in response.json()["detail"]


def test_what_a_token_reaches(operator):
    principal = by(operator)
    assert principal.reaches("triflow.staging")
    token, _plain = actions.create_token(by=principal, name="x", environment_id="triflow.staging")
    narrow = type(principal)(operator, "token", token=token)
    assert narrow.reaches("triflow.staging")
    assert not narrow.reaches("triflow.production")
    assert not narrow.reaches("")


def test_a_session_needs_csrf_in_the_api(operator):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.get(TOKENS).status_code == 200
    assert client.post(TOKENS, {"name": "x"}, format="json").status_code == 403
    assert not ApiToken.objects.exists()


def test_for_views_outside_the_api(made, db):
    token, plain = made
    assert open_with_token(plain, address="192.0.2.1") == token
    for _try in range(20):
        assert open_with_token("ghs_no", address="192.0.2.1") is None
    with pytest.raises(throttling.TooManyAttemptsError):
        open_with_token("ghs_no", address="192.0.2.1")
    assert open_with_token("ghs_no", address="192.0.2.2") is None
    assert not issubclass(throttling.TooManyAttemptsError, Throttled)
