"""Portal administrators manage people."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connection
from django.test import Client

from portal.accounts import actions, hooks
from portal.accounts.models import User
from portal.accounts.principals import SYSTEM, Principal
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from tests.cast import PASSWORD, by, person

PEOPLE = "/accounts/people/"
NEW = f"{PEOPLE}new/"
FORM = {"username": "newcomer", "display_name": "New Comer", "email": "new@example.com", "time_zone": ""}


def page_of(username: str, act: str = "") -> str:
    return f"{PEOPLE}p/{username}/{act}"


def shown_password(response) -> str:
    return re.findall(r"\b(?:[a-z2-9]{5}-){3}[a-z2-9]{5}\b", response.content.decode())[0]


ACTS = [
    (NEW, FORM),
    (page_of("operator"), {"display_name": "X", "email": "", "time_zone": ""}),
    (page_of("operator", "deactivate/"), {}),
    (page_of("operator", "reactivate/"), {}),
    (page_of("operator", "reset-password/"), {}),
]


@pytest.mark.parametrize(("url", "form"), ACTS)
class TestNotForEverybody:
    def facts(self):
        return list(User.objects.order_by("pk").values())

    def test_strangers_go_to_the_door(self, client, operator, url, form):
        before = self.facts()
        assert client.post(url, form).status_code == 302
        assert client.post(url, form)["Location"].startswith("/accounts/sign-in/")
        assert self.facts() == before

    def test_others_are_refused_with_the_reason_and_it_is_audited(
        self, sign_in, operator, viewer, events, url, form
    ):
        client = sign_in(viewer)
        before = self.facts()
        response = client.post(url, form)
        assert response.status_code == 403
        assert "Only portal administrators" in response.content.decode()
        assert self.facts() == before
        [event] = events("page.open")
        assert (event.outcome, event.actor_id, event.target_id) == ("refused", "viewer", url)

    def test_other_sites_are_refused(self, admin, operator, url, form):
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(admin)
        before = self.facts()
        assert careful.post(url, form).status_code == 403
        assert [row["username"] for row in self.facts()] == [row["username"] for row in before]
        assert User.objects.get(pk=operator.pk).is_active

    def test_other_methods_are_refused(self, sign_in, admin, operator, url, form):
        assert sign_in(admin).put(url, form).status_code == 405


@pytest.mark.parametrize("act", ["", "deactivate/", "reactivate/", "reset-password/"])
def test_an_unknown_person_is_404(sign_in, admin, act):
    form = {"display_name": "X", "email": "", "time_zone": ""}
    assert sign_in(admin).post(page_of("nobody", act), form).status_code == 404


class TestActionsRefuse:
    """The actions hold the rule themselves, whoever calls them."""

    @pytest.mark.parametrize("who", ["viewer", "admin with a token"])
    def test_all(self, viewer, operator, admin, events, who):
        if who == "viewer":
            principal = by(viewer)
        else:
            token, _plain = actions.create_token(by=by(admin), name="x")
            principal = Principal(admin, "token", token=token)
        calls = {
            "person.create": lambda: actions.create_person(by=principal, username="x", password=PASSWORD),
            "person.update": lambda: actions.update_person(
                by=principal, person=operator, display_name="X", email="", time_zone="", is_portal_admin=True
            ),
            "person.deactivate": lambda: actions.deactivate_person(by=principal, person=operator),
            "person.reactivate": lambda: actions.reactivate_person(by=principal, person=operator),
            "person.reset_password": lambda: actions.reset_password(by=principal, person=operator),
        }
        for action, call in calls.items():
            with pytest.raises(NotAllowed):
                call()
            assert [event.outcome for event in events(action)] == ["refused"]
        operator.refresh_from_db()
        assert operator.is_active
        assert not operator.is_portal_admin
        assert operator.check_password(PASSWORD)

    def test_an_administrator_who_left(self, operator, admin):
        admin.is_active = False
        with pytest.raises(NotAllowed):
            actions.deactivate_person(by=by(admin), person=operator)


class TestCreate:
    def test_takes_a_person_in_with_a_password_shown_once(self, sign_in, admin, client, events):
        response = sign_in(admin).post(NEW, FORM)
        assert response.status_code == 201
        assert "no-store" in response["Cache-Control"]
        plain = shown_password(response)
        newcomer = User.objects.get(username="newcomer")
        assert newcomer.check_password(plain)
        assert (str(newcomer), newcomer.email, newcomer.is_portal_admin) == (
            "New Comer",
            "new@example.com",
            False,
        )
        client.post("/accounts/sign-in/", {"username": "newcomer", "password": plain})
        assert client.get("/accounts/profile/")["Location"] == "/accounts/password/"
        [event] = events("person.create")
        assert (event.actor_id, event.actor_roles, event.target_id) == ("admin", ["portal-admin"], "newcomer")
        assert plain not in str(vars(event))

    @pytest.mark.parametrize("username", ["newcomer", "NewComer"])
    def test_twice_is_refused_and_nothing_typed_is_lost(self, sign_in, admin, events, username):
        client = sign_in(admin)
        client.post(NEW, FORM)
        response = client.post(NEW, {**FORM, "username": username})
        assert response.status_code == 400
        assert 'value="new@example.com"' in response.content.decode()
        assert User.objects.filter(username__iexact="newcomer").count() == 1
        assert len(events("person.create")) == 1

    @pytest.mark.parametrize(
        "change", [{"username": "with space"}, {"username": ""}, {"email": "no"}, {"time_zone": "X"}]
    )
    def test_bad_input_is_refused_at_its_field(self, sign_in, admin, change):
        response = sign_in(admin).post(NEW, {**FORM, **change})
        assert response.status_code == 400
        assert list(response.context["form"].errors) == list(change)
        assert not User.objects.filter(email="new@example.com").exists()

    def test_weak_passwords_are_refused(self, admin):
        with pytest.raises(InvalidInput) as refused:
            actions.create_person(by=by(admin), username="weak", password="password")
        assert list(refused.value.errors) == ["password"]

    def test_the_portal_itself_may(self, db):
        made = actions.create_person(
            by=SYSTEM, username="demo", password=PASSWORD, must_change_password=False
        )
        assert not made.must_change_password

    def test_superusers_of_the_command_line_are_portal_administrators(self, db):
        assert User.objects.create_superuser("root", "", PASSWORD).is_portal_admin


class TestUpdate:
    FORM = {"display_name": "Olive", "email": "o@example.com", "time_zone": "UTC", "is_portal_admin": "on"}

    def test_saves_and_is_audited_with_before_and_after(self, sign_in, admin, operator, events):
        client = sign_in(admin)
        assert client.post(page_of("operator"), self.FORM)["Location"] == page_of("operator")
        operator.refresh_from_db()
        assert (str(operator), operator.email, operator.time_zone) == ("Olive", "o@example.com", "UTC")
        assert operator.is_portal_admin
        [event] = events("person.update")
        assert event.before["is_portal_admin"] is False
        assert event.after["is_portal_admin"] is True
        assert event.before["email"] == "operator@example.com"

    def test_the_same_twice_is_one_record(self, sign_in, admin, operator, events):
        client = sign_in(admin)
        for _press in range(2):
            client.post(page_of("operator"), self.FORM)
        assert len(events("person.update")) == 1

    def test_bad_input_is_refused(self, sign_in, admin, operator):
        response = sign_in(admin).post(page_of("operator"), {**self.FORM, "email": "nonsense"})
        assert response.status_code == 400
        assert "nonsense" in response.content.decode()
        operator.refresh_from_db()
        assert str(operator) == "Operator"

    def test_the_last_administrator_cannot_step_down(self, sign_in, admin, events):
        form = {"display_name": "Admin", "email": "admin@example.com", "time_zone": ""}
        response = sign_in(admin).post(page_of("admin"), form)
        assert response.status_code == 409
        assert "last portal administrator" in response.content.decode()
        admin.refresh_from_db()
        assert admin.is_portal_admin
        assert [event.outcome for event in events("person.update")] == ["refused"]

    def test_with_another_one_they_can(self, sign_in, admin):
        person("second", is_portal_admin=True)
        sign_in(admin).post(page_of("admin"), {"display_name": "Admin", "email": "", "time_zone": ""})
        admin.refresh_from_db()
        assert not admin.is_portal_admin

    def test_one_who_left_does_not_count(self, admin):
        person("second", is_portal_admin=True, is_active=False)
        with pytest.raises(Conflict):
            actions.deactivate_person(by=by(admin), person=admin)


class TestDeactivate:
    def test_asks_first(self, sign_in, admin, operator):
        response = sign_in(admin).get(page_of("operator", "deactivate/"))
        assert "Deactivate Operator?" in response.content.decode()
        operator.refresh_from_db()
        assert operator.is_active

    def test_ends_sessions_and_tokens_at_once(self, sign_in, admin, operator, api_client_of, events):
        theirs = sign_in(operator)
        _token, plain = actions.create_token(by=by(operator), name="ci")
        assert theirs.get("/accounts/profile/").status_code == 200
        assert sign_in(admin).post(page_of("operator", "deactivate/"))["Location"] == page_of("operator")
        assert theirs.get("/accounts/profile/").status_code == 302
        assert api_client_of(plain).get("/api/v1/users/").status_code == 401
        operator.refresh_from_db()
        assert not operator.is_active
        assert operator.left_at is not None
        [event] = events("person.deactivate")
        assert (event.outcome, event.actor_id, event.target_id) == ("done", "admin", "operator")

    def test_they_cannot_sign_in_again(self, sign_in, admin, operator, client):
        sign_in(admin).post(page_of("operator", "deactivate/"))
        response = client.post("/accounts/sign-in/", {"username": "operator", "password": PASSWORD})
        assert response.status_code == 400

    def test_twice_is_refused(self, sign_in, admin, operator, events):
        client = sign_in(admin)
        client.post(page_of("operator", "deactivate/"))
        assert client.post(page_of("operator", "deactivate/")).status_code == 409
        assert [event.outcome for event in events("person.deactivate")] == ["done", "refused"]

    def test_the_last_administrator_cannot_leave(self, sign_in, admin, events):
        assert sign_in(admin).post(page_of("admin", "deactivate/")).status_code == 409
        admin.refresh_from_db()
        assert admin.is_active
        assert [event.outcome for event in events("person.deactivate")] == ["refused"]

    def test_rooms_end_what_is_theirs_in_the_same_transaction(self, admin, operator, monkeypatch):
        def refuses(principal: Principal, gone: User) -> None:
            raise RuntimeError(f"votes of {gone} cannot be withdrawn")

        monkeypatch.setattr(hooks.hooks, "on_departure", [refuses])
        with pytest.raises(RuntimeError):
            actions.deactivate_person(by=by(admin), person=operator)
        operator.refresh_from_db()
        assert operator.is_active


class TestReactivate:
    def test_lets_back_in_without_old_sessions_and_tokens(
        self, sign_in, admin, operator, api_client_of, client, events
    ):
        theirs = sign_in(operator)
        _token, plain = actions.create_token(by=by(operator), name="ci")
        actions.deactivate_person(by=by(admin), person=operator)
        response = sign_in(admin).post(page_of("operator", "reactivate/"))
        assert response["Location"] == page_of("operator")
        assert theirs.get("/accounts/profile/").status_code == 302
        assert api_client_of(plain).get("/api/v1/users/").status_code == 401
        assert (
            client.post("/accounts/sign-in/", {"username": "operator", "password": PASSWORD}).status_code
            == 302
        )
        assert [event.outcome for event in events("person.reactivate")] == ["done"]

    def test_twice_is_refused(self, sign_in, admin, operator, events):
        assert sign_in(admin).post(page_of("operator", "reactivate/")).status_code == 409
        assert [event.outcome for event in events("person.reactivate")] == ["refused"]


class TestResetPassword:
    def test_shows_a_temporary_one_and_ends_sessions(self, sign_in, admin, operator, client, events):
        theirs = sign_in(operator)
        response = sign_in(admin).post(page_of("operator", "reset-password/"))
        plain = shown_password(response)
        assert "no-store" in response["Cache-Control"]
        assert theirs.get("/accounts/profile/").status_code == 302
        client.post("/accounts/sign-in/", {"username": "operator", "password": plain})
        assert client.get("/accounts/profile/")["Location"] == "/accounts/password/"
        [event] = events("person.reset_password")
        assert (event.actor_id, event.target_id, event.outcome) == ("admin", "operator", "done")
        assert plain not in str(vars(event))

    def test_twice_only_the_last_one_holds(self, sign_in, admin, operator):
        client = sign_in(admin)
        first = shown_password(client.post(page_of("operator", "reset-password/")))
        second = shown_password(client.post(page_of("operator", "reset-password/")))
        operator.refresh_from_db()
        assert not operator.check_password(first)
        assert operator.check_password(second)

    def test_asks_first(self, sign_in, admin, operator):
        response = sign_in(admin).get(page_of("operator", "reset-password/"))
        assert "Reset the password of Operator?" in response.content.decode()
        operator.refresh_from_db()
        assert operator.check_password(PASSWORD)

    def test_not_ones_own(self, sign_in, admin, events):
        assert sign_in(admin).post(page_of("admin", "reset-password/")).status_code == 409
        assert [event.outcome for event in events("person.reset_password")] == ["refused"]


class TestList:
    def test_finds_by_any_part(self, sign_in, admin, operator, viewer):
        client = sign_in(admin)
        assert "operator@example.com" in client.get(PEOPLE).content.decode()
        found = client.get(PEOPLE, {"q": "VIEW"}).content.decode()
        assert "viewer@example.com" in found
        assert "operator@example.com" not in found
        assert "Nobody matches" in client.get(PEOPLE, {"q": "zzz"}).content.decode()

    def test_those_who_left_are_shown_when_asked_for(self, sign_in, admin, operator):
        actions.deactivate_person(by=by(admin), person=operator)
        client = sign_in(admin)
        assert "operator@example.com" not in client.get(PEOPLE).content.decode()
        assert "operator@example.com" in client.get(PEOPLE, {"show": "left"}).content.decode()
        assert "admin@example.com" in client.get(PEOPLE, {"show": "all"}).content.decode()

    def test_is_paged_by_key_with_the_same_number_of_queries(
        self, sign_in, admin, django_assert_max_num_queries
    ):
        client = sign_in(admin)

        def queries() -> int:
            with django_assert_max_num_queries(20) as counted:
                client.get(PEOPLE)
            return len(counted)

        few = queries()
        User.objects.bulk_create(User(username=f"person{number:03}", password="!") for number in range(120))
        assert queries() == few
        first = client.get(PEOPLE)
        page = first.context["page"]
        assert (len(page.rows), page.newer) == (50, None)
        second = client.get(PEOPLE, {"cursor": page.older}).context["page"]
        assert page.rows[-1].username < second.rows[0].username

    def test_a_bad_cursor_is_a_bad_request(self, sign_in, admin):
        assert sign_in(admin).get(PEOPLE, {"cursor": "nonsense"}).status_code == 400

    def test_rooms_tell_what_people_are(self, sign_in, admin, operator, monkeypatch):
        monkeypatch.setattr(
            hooks.hooks, "summaries", lambda people: {row.pk: f"roles of {row.username}" for row in people}
        )
        assert "roles of operator" in sign_in(admin).get(PEOPLE).content.decode()

    def test_rooms_add_to_a_persons_page(self, sign_in, admin, operator, monkeypatch):
        panel = hooks.Panel("x", 1, "components/empty.html", lambda request, person: {"person": person})
        monkeypatch.setattr(hooks.hooks, "panels", [panel])
        response = sign_in(admin).get(page_of("operator"))
        assert response.context["panels"] == [("components/empty.html", {"person": operator})]

    def test_other_methods(self, sign_in, admin):
        assert sign_in(admin).post(PEOPLE).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_demote_each_other_at_once():
    """Started together on two connections: one of them stays."""
    pair = [person(name, is_portal_admin=True) for name in ("first", "second")]
    barrier, refused = threading.Barrier(2), []

    def demote(me: User, other: User) -> None:
        try:
            barrier.wait(10)
            actions.deactivate_person(by=by(me), person=other)
        except Conflict as error:
            refused.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=args) for args in (pair, reversed(pair))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert User.objects.portal_admins().count() == 1
    assert len(refused) == 1
