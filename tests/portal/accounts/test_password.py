"""Somebody changes their own password."""

import pytest
from django.test import Client

from tests.cast import PASSWORD, by, person

PAGE = "/accounts/password/"
NEW = "a quite different sentence"


def change(client, current=PASSWORD, new=NEW, again=None):
    return client.post(PAGE, {"current": current, "new": new, "again": new if again is None else again})


def test_replaces_the_password_and_is_audited_without_it(sign_in, operator, events):
    response = change(sign_in(operator))
    assert (response.status_code, response["Location"]) == (302, "/accounts/profile/")
    operator.refresh_from_db()
    assert operator.check_password(NEW)
    [event] = events("person.change_password")
    assert (event.outcome, event.actor_id, event.target_id) == ("done", "operator", "operator")
    assert NEW not in str(vars(event))
    assert PASSWORD not in str(vars(event))


def test_ends_the_other_sessions_only(sign_in, operator):
    here, there = sign_in(operator), sign_in(operator)
    change(here)
    assert here.get(PAGE).status_code == 200
    assert there.get(PAGE).status_code == 302


def test_the_same_again_is_refused(sign_in, operator):
    response = change(sign_in(operator), new=PASSWORD)
    assert response.status_code == 400
    assert "differs from the present one" in response.content.decode()


def test_the_wrong_present_password_is_refused_and_audited(sign_in, operator, events):
    response = change(sign_in(operator), current="guess")
    assert response.status_code == 400
    assert "not your present password" in response.content.decode()
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)
    assert [event.outcome for event in events("person.change_password")] == ["refused"]


def test_guessing_at_an_open_screen_ends_after_five(sign_in, operator):
    client = sign_in(operator)
    for _try in range(5):
        assert change(client, current="guess").status_code == 400
    assert change(client).status_code == 429
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("new", "again"), [("short", None), ("password123", None), (NEW, "other text here"), ("", None)]
)
def test_bad_new_passwords_are_refused(sign_in, operator, new, again):
    assert change(sign_in(operator), new=new, again=again).status_code == 400
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


def test_strangers_and_other_methods(client, sign_in, operator):
    assert change(client).status_code == 302
    assert sign_in(operator).put(PAGE).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(operator)
    assert change(careful).status_code == 403
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


class TestTemporary:
    """A password that somebody else knows opens nothing but this page."""

    @pytest.fixture
    def newcomer(self, db):
        return person("newcomer", must_change_password=True)

    @pytest.mark.parametrize("path", ["/settings/", "/accounts/profile/", "/accounts/tokens/"])
    def test_other_pages_lead_here(self, sign_in, newcomer, path):
        assert sign_in(newcomer).get(path)["Location"] == PAGE

    def test_the_api_says_so(self, sign_in, newcomer):
        response = sign_in(newcomer).get("/api/v1/users/")
        assert response.status_code == 403
        assert "own password" in response.json()["detail"]

    def test_choosing_ones_own_opens_the_rest(self, sign_in, newcomer):
        client = sign_in(newcomer)
        assert "Somebody else knows" in client.get(PAGE).content.decode()
        change(client)
        assert client.get("/accounts/profile/").status_code == 200

    def test_one_may_leave(self, sign_in, newcomer):
        assert sign_in(newcomer).post("/accounts/sign-out/")["Location"] == "/accounts/sign-in/"


def test_a_token_cannot_change_it(rf, operator):
    from portal.accounts import actions
    from portal.accounts.principals import Principal
    from portal.core.errors import NotAllowed

    token, _plain = actions.create_token(by=by(operator), name="x")
    with pytest.raises(NotAllowed):
        actions.change_password(
            by=Principal(operator, "token", token=token), request=rf.post(PAGE), current=PASSWORD, new=NEW
        )
