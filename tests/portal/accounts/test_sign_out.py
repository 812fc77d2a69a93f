"""Somebody signs out."""

from django.test import Client

SIGN_OUT = "/accounts/sign-out/"


def test_ends_the_session_and_is_audited(sign_in, operator, events):
    client = sign_in(operator)
    response = client.post(SIGN_OUT)
    assert (response.status_code, response["Location"]) == (302, "/accounts/sign-in/")
    assert client.get("/accounts/profile/").status_code == 302
    [event] = events("session.sign_out")
    assert (event.actor_id, event.outcome) == ("operator", "done")


def test_twice_is_no_error_and_one_record(sign_in, operator, events):
    client = sign_in(operator)
    client.post(SIGN_OUT)
    assert client.post(SIGN_OUT).status_code == 302
    assert len(events("session.sign_out")) == 1


def test_a_link_cannot_do_it(sign_in, operator):
    client = sign_in(operator)
    assert client.get(SIGN_OUT).status_code == 405
    assert client.get("/accounts/profile/").status_code == 200


def test_another_site_cannot_do_it(operator):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(operator)
    assert careful.post(SIGN_OUT).status_code == 403
    assert careful.get("/accounts/profile/").status_code == 200


def test_other_sessions_of_the_person_stay(sign_in, operator):
    here, there = sign_in(operator), sign_in(operator)
    here.post(SIGN_OUT)
    assert there.get("/accounts/profile/").status_code == 200
