"""Somebody makes and ends API tokens."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.accounts import actions
from portal.accounts.models import SCOPE_STATE_WRITE, ApiToken
from portal.accounts.principals import SYSTEM, Principal
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed, NotFound
from tests.cast import by

PAGE = "/accounts/tokens/"
FORM = {"name": "build server", "days": "30", "may_write": "on"}


def shown(response) -> list[str]:
    return re.findall(r"ghs_[0-9a-f]{10}_[0-9a-f]{48}", response.content.decode())


class TestCreate:
    def test_shows_it_once_and_keeps_only_its_hash(self, sign_in, operator, events):
        client = sign_in(operator)
        response = client.post(PAGE, FORM)
        assert response.status_code == 201
        plain = shown(response)[0]
        assert shown(client.get(PAGE)) == []
        token = ApiToken.objects.get()
        assert (token.name, token.user, token.scopes) == ("build server", operator, ["read", "write"])
        assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
        secret = plain.rsplit("_", 1)[1]
        everything = f"{list(ApiToken.objects.values())}{list(AuditEvent.objects.values())}"
        assert secret not in everything
        [event] = events("token.create")
        assert (event.actor_id, event.target_id, event.outcome) == ("operator", token.prefix, "done")
        assert event.target_name.startswith("build server")
        assert event.after["owner"] == "operator"

    def test_is_not_kept_by_browsers(self, sign_in, operator):
        assert "no-store" in sign_in(operator).post(PAGE, FORM)["Cache-Control"]

    def test_twice_makes_two(self, sign_in, operator, events):
        client = sign_in(operator)
        assert shown(client.post(PAGE, FORM)) != shown(client.post(PAGE, FORM))
        assert len(events("token.create")) == 2

    def test_reading_only_is_the_default(self, sign_in, operator):
        sign_in(operator).post(PAGE, {"name": "dashboard", "days": "90"})
        assert ApiToken.objects.get().scopes == ["read"]

    @pytest.mark.parametrize(
        "change", [{"days": "366"}, {"days": "0"}, {"days": "x"}, {"name": ""}, {"name": "n" * 81}]
    )
    def test_bad_input_is_refused_and_nothing_typed_is_lost(self, sign_in, operator, change):
        response = sign_in(operator).post(PAGE, {**FORM, **change})
        assert response.status_code == 400
        assert not ApiToken.objects.exists()
        if "name" not in change:
            assert 'value="build server"' in response.content.decode()

    def test_strangers_other_methods_other_sites(self, client, sign_in, operator):
        assert client.post(PAGE, FORM).status_code == 302
        assert sign_in(operator).put(PAGE, FORM).status_code == 405
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(operator)
        assert careful.post(PAGE, FORM).status_code == 403
        assert not ApiToken.objects.exists()

    def test_one_sees_ones_own_only(self, sign_in, operator, viewer):
        sign_in(operator).post(PAGE, FORM)
        assert "build server" not in sign_in(viewer).get(PAGE).content.decode()

    def test_not_for_others(self, operator, admin, events):
        with pytest.raises(NotAllowed):
            actions.create_token(by=by(admin), owner=operator, name="x")
        assert [event.outcome for event in events("token.create")] == ["refused"]

    def test_the_default_and_the_longest_life(self, operator):
        token, _plain = actions.create_token(by=by(operator), name="x")
        assert token.expires_at - token.created_at == timedelta(days=90)
        with pytest.raises(InvalidInput) as refused:
            actions.create_token(by=by(operator), name="x", days=366)
        assert list(refused.value.errors) == ["days"]

    def test_a_token_makes_no_stronger_and_no_longer_one(self, operator, events):
        first, _plain = actions.create_token(by=by(operator), name="first", days=10, scopes=["read"])
        through = Principal(operator, "token", token=first, name="first")
        with pytest.raises(NotAllowed):
            actions.create_token(by=through, name="second")
        second, _plain = actions.create_token(by=through, name="second", days=365, scopes=["read"])
        assert second.expires_at == first.expires_at
        assert [event.outcome for event in events("token.create")] == ["done", "refused", "done"]

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"environment_id": "triflow.production"},
            {"lifetime": timedelta(hours=1)},
            {"environment_id": "triflow.production", "lifetime": timedelta(hours=13)},
        ],
    )
    def test_writing_state_is_for_one_environment_and_hours(self, admin, options):
        with pytest.raises(InvalidInput) as refused:
            actions.create_token(by=by(admin), name="x", scopes=["read", SCOPE_STATE_WRITE], **options)
        assert list(refused.value.errors) == ["scopes"]

    def test_an_admin_may_be_let_issue_one_for_an_environment(self, admin, operator):
        token, _plain = actions.create_token(
            by=by(admin),
            owner=operator,
            name="repair",
            scopes=["read", SCOPE_STATE_WRITE],
            environment_id="triflow.production",
            lifetime=timedelta(hours=2),
        )
        assert token.user == operator
        assert token.expires_at - token.created_at == timedelta(hours=2)

    def test_not_for_people_who_left(self, operator):
        operator.is_active = False
        with pytest.raises(NotAllowed):
            actions.create_token(by=SYSTEM, owner=operator, name="x")


class TestRevoke:
    @pytest.fixture
    def token(self, operator):
        return actions.create_token(by=by(operator), name="old")[0]

    def url(self, token):
        return f"{PAGE}{token.prefix}/revoke/"

    def test_ends_it_and_is_audited(self, sign_in, operator, token, events):
        response = sign_in(operator).post(self.url(token))
        assert response["Location"] == PAGE
        token.refresh_from_db()
        assert token.revoked_at is not None
        [event] = events("token.revoke")
        assert (event.actor_id, event.target_id, event.outcome) == ("operator", token.prefix, "done")

    def test_twice_changes_nothing(self, sign_in, operator, token, events):
        client = sign_in(operator)
        client.post(self.url(token))
        token.refresh_from_db()
        first = token.revoked_at
        client.post(self.url(token))
        token.refresh_from_db()
        assert token.revoked_at == first
        assert len(events("token.revoke")) == 1

    def test_a_portal_administrator_may(self, sign_in, admin, token, events):
        response = sign_in(admin).post(self.url(token))
        assert response["Location"] == "/accounts/people/p/operator/"
        [event] = events("token.revoke")
        assert event.actor_id == "admin"

    def test_others_may_not_even_know_of_it(self, sign_in, viewer, token, events):
        assert sign_in(viewer).post(self.url(token)).status_code == 404
        token.refresh_from_db()
        assert token.revoked_at is None
        assert [event.outcome for event in events("token.revoke")] == ["refused"]

    def test_unknown_strangers_other_methods_other_sites(self, client, sign_in, operator, token):
        assert sign_in(operator).post(f"{PAGE}ffff/revoke/").status_code == 404
        assert client.post(self.url(token)).status_code == 302
        assert sign_in(operator).get(self.url(token)).status_code == 405
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(operator)
        assert careful.post(self.url(token)).status_code == 403
        token.refresh_from_db()
        assert token.revoked_at is None

    def test_the_portal_itself_may(self, token):
        assert actions.revoke_token(by=SYSTEM, token=token).revoked_at is not None

    def test_a_foreign_token_may_not(self, viewer, token):
        mine, _plain = actions.create_token(by=by(viewer), name="mine")
        with pytest.raises(NotFound):
            actions.revoke_token(by=Principal(viewer, "token", token=mine), token=token)


class TestCommand:
    def test_prints_the_token_as_last_word(self, operator, api_client_of, capsys, events):
        call_command("create_token", "operator", "--days", "5", "--name", "trial")
        output = capsys.readouterr().out
        plain = output.split()[-1]
        token = ApiToken.objects.get()
        assert (token.name, token.user, token.prefix) == ("trial", operator, plain.split("_")[1])
        assert token.expires_at - token.created_at == timedelta(days=5)
        assert api_client_of(plain).get("/api/v1/users/").status_code == 200
        [event] = events("token.create")
        assert (event.actor_kind, event.actor_id) == ("system", "portal")

    def test_read_only(self, operator, capsys):
        call_command("create_token", "operator", "--read-only")
        assert ApiToken.objects.get().scopes == ["read"]

    @pytest.mark.parametrize("arguments", [["nobody"], ["operator", "--days", "400"]])
    def test_says_what_is_wrong(self, operator, arguments):
        with pytest.raises(CommandError):
            call_command("create_token", *arguments)
        assert not ApiToken.objects.exists()
