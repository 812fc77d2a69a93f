"""Somebody signs in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts import throttling
from portal.accounts.models import AttemptWindow, User
from portal.audit.models import AuditEvent
from tests.cast import PASSWORD, person

SIGN_IN = "/accounts/sign-in/"


def knock(client: Client, username: str, password: str = PASSWORD, **extra: str):
    return client.post(SIGN_IN, {"username": username, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def test_opens_a_session_and_is_audited(client, operator, events):
    response = knock(client, "operator")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)
    [event] = events("session.sign_in")
    assert (event.outcome, event.actor_id, event.target_id) == ("done", "operator", "operator")
    assert event.address == "127.0.0.1"
    assert event.request_id == response["X-Request-ID"]


def test_the_name_may_start_with_a_capital(client, operator):
    assert knock(client, " Operator").status_code == 302
    assert is_signed_in(client)


def test_the_session_key_changes_so_that_a_planted_one_is_worthless(client, operator):
    client.get(SIGN_IN)
    session = client.session
    session["planted"] = True
    session.save()
    knock(client, "operator")
    assert client.session.session_key != session.session_key


@pytest.mark.parametrize(
    "wanted",
    ["/changes/4711/?tab=log", "/accounts/tokens/"],
)
def test_leads_on_to_the_page_a_notification_linked_to(client, operator, wanted):
    page = client.get(SIGN_IN, {"next": wanted}).content.decode()
    [field] = re.findall(r'name="next" value="([^"]+)"', page)
    response = client.post(SIGN_IN, {"username": "operator", "password": PASSWORD, "next": field})
    assert response["Location"] == wanted


def test_a_wrong_first_try_keeps_the_way_on(client, operator):
    wrong = client.post(SIGN_IN, {"username": "operator", "password": "no", "next": "/accounts/tokens/"})
    assert 'name="next" value="/accounts/tokens/"' in wrong.content.decode()
    assert 'value="operator"' in wrong.content.decode()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "/\\evil.example",
        "http:///evil.example",
    ],
)
def test_never_leads_to_another_site(client, operator, elsewhere):
    response = client.post(SIGN_IN, {"username": "operator", "password": PASSWORD, "next": elsewhere})
    assert response["Location"] == "/"


def test_a_stranger_is_sent_here_and_back_again(client, operator):
    response = client.get("/accounts/tokens/?cursor=x")
    assert response["Location"] == f"{SIGN_IN}?next=%2Faccounts%2Ftokens%2F%3Fcursor%3Dx"
    # A pressed button is no page to come back to; the page it stood on is.
    pressed = client.post("/accounts/tokens/", HTTP_REFERER="http://testserver/accounts/profile/")
    assert pressed["Location"] == f"{SIGN_IN}?next=%2Faccounts%2Fprofile%2F"
    foreign = client.post("/accounts/tokens/", HTTP_REFERER="http://evil.example/x")
    assert foreign["Location"] == SIGN_IN


def test_a_fragment_of_a_page_reloads_whole(client):
    response = client.get(
        "/accounts/tokens/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/accounts/profile/"
    )
    assert response.status_code == 200
    assert response["HX-Redirect"] == f"{SIGN_IN}?next=%2Faccounts%2Fprofile%2F"
    assert response.content == b""


def test_signing_in_twice_leads_on(client, operator):
    knock(client, "operator")
    response = client.get(SIGN_IN, {"next": "/accounts/tokens/"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/tokens/")


@pytest.mark.parametrize("username", ["operator", "nobody-here", "left"])
def test_a_wrong_try_tells_nothing_and_is_audited_without_the_password(client, operator, events, username):
    person("left", is_active=False)
    response = knock(client, username, "open sesame 123" if username != "left" else PASSWORD)
    page = response.content.decode()
    assert response.status_code == 400
    assert "The name or the password is wrong" in page
    assert "open sesame 123" not in page
    assert not is_signed_in(client)
    [event] = events("session.sign_in")
    assert (event.outcome, event.actor_id, event.target_id) == ("refused", username, username)
    everything = str(list(AuditEvent.objects.values()))
    assert "open sesame" not in everything
    assert PASSWORD not in everything


def test_other_methods_are_refused(client, db):
    assert client.put(SIGN_IN).status_code == 405
    assert client.delete(SIGN_IN).status_code == 405


def test_needs_a_csrf_token(operator):
    careful = Client(enforce_csrf_checks=True)
    assert knock(careful, "operator").status_code == 403
    assert not is_signed_in(careful)


def test_the_form_must_be_filled(client, db, events):
    response = client.post(SIGN_IN, {"username": "", "password": ""})
    assert response.status_code == 400
    assert events("session.sign_in") == []


class TestGuessing:
    def test_five_failures_make_one_wait_even_with_the_right_password(self, client, operator, events):
        for _try in range(5):
            assert knock(client, "operator", "wrong").status_code == 400
        response = knock(client, "OPERATOR")
        assert response.status_code == 429
        assert "Wait 15 minutes" in response.content.decode()
        assert not is_signed_in(client)
        assert [event.outcome for event in events("session.sign_in")] == ["refused"] * 6

    def test_others_may_still_sign_in_from_there_and_they_from_elsewhere(self, client, operator, viewer):
        for _try in range(6):
            knock(client, "operator", "wrong")
        assert knock(Client(), "viewer").status_code == 302
        assert knock(Client(), "operator", REMOTE_ADDR="192.0.2.77").status_code == 302

    def test_the_wait_ends(self, client, operator):
        for _try in range(6):
            knock(client, "operator", "wrong")
        AttemptWindow.objects.update(started_at=timezone.now() - throttling.WINDOW - timedelta(seconds=1))
        assert knock(client, "operator").status_code == 302

    def test_no_quarter_of_an_hour_holds_more_than_five(self, client, operator, monkeypatch):
        """One try early and four late: a window counted from the first would let five more through at its end."""
        moment = throttling.now()
        tried = []
        for minutes in (0, 14, 14, 14, 14, *range(15, 29)):
            at = moment + timedelta(minutes=minutes)
            monkeypatch.setattr(throttling, "now", lambda at=at: at)
            tried.append((minutes, knock(client, "operator", "wrong").status_code))
        let_through = [minutes for minutes, status in tried if status != 429]
        assert let_through == [0, 14, 14, 14, 14]

    def test_waiting_does_not_grow_by_trying(self, client, operator):
        for _try in range(9):
            knock(client, "operator", "wrong")
        assert AttemptWindow.objects.get(kind="sign_in").count == 5

    def test_success_forgets_the_failures(self, client, operator):
        for _round in range(3):
            for _try in range(4):
                knock(client, "operator", "wrong")
            assert knock(client, "operator").status_code == 302

    def test_a_list_of_names_from_one_address_ends_too(self, client, operator, monkeypatch):
        monkeypatch.setattr(throttling, "SIGN_IN_ADDRESS", throttling.Limit("address", 8))
        for number in range(8):
            assert knock(client, f"name{number}", "wrong").status_code == 400
        assert knock(client, "operator").status_code == 429

    def test_no_typed_name_is_kept_by_the_counter(self, client, db):
        knock(client, "my secret password", "x")
        assert "secret" not in str(list(AttemptWindow.objects.values()))

    def test_old_counters_are_forgotten(self, client, db):
        knock(client, "a", "x")
        AttemptWindow.objects.update(started_at=timezone.now() - timedelta(hours=2))
        knock(client, "b", "x")
        assert AttemptWindow.objects.filter(kind="sign_in").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_its_record_nobody_gets_in(client, monkeypatch):
    from portal.accounts.actions import sessions

    person("operator")

    def broken(**_values):
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr(sessions, "record", broken)
    client.raise_request_exception = False
    assert knock(client, "operator").status_code == 500
    assert not is_signed_in(client)
    assert User.objects.get().last_login is None


def test_the_page_is_not_kept_by_browsers(client, db):
    assert "no-store" in client.get(SIGN_IN)["Cache-Control"]
