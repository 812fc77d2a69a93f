"""The inbox and the search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments.changes.abilities import can_approve
from environments.changes.inbox import awaiting
from environments.changes.models import Change, Vote
from environments.models import Environment, Resource
from environments.permissions import roles_of
from portal.accounts.models import User
from tests.environments.overview.conftest import Ask, Fleet

SignIn = Callable[[User], Client]


class TestInbox:
    def test_has_votes_and_what_i_asked_for(
        self, sign_in: SignIn, approver: User, operator: User, environment: Fleet, ask: Ask
    ) -> None:
        live = environment("live", environment_class="production")
        ask(live, operator, "awaiting_approval")
        asked = sign_in(approver).get("/inbox/").content.decode()
        assert "Waits for you" in asked
        assert "Yours, waiting for others" not in asked
        own = sign_in(operator).get("/inbox/").content.decode()
        assert "Nothing waits for you" in own
        assert "Yours, waiting for others" in own

    def test_my_failure_is_mine_alone(
        self, sign_in: SignIn, operator: User, operator2: User, environment: Fleet, ask: Ask
    ) -> None:
        change = ask(environment("live"), operator, "failed", error_message="No subnets\nraw")
        page = sign_in(operator).get("/inbox/").content.decode()
        assert "No subnets" in page
        assert f"/changes/{change.uuid}/" in page
        assert "Nothing waits for you" in sign_in(operator2).get("/inbox/").content.decode()

    def test_what_waits_for_me_is_not_listed_twice(
        self, sign_in: SignIn, operator: User, environment: Fleet, ask: Ask
    ) -> None:
        change = ask(environment("live"), operator, "approved", start="manual")
        page = sign_in(operator).get("/inbox/").content.decode()
        assert page.count(f'href="/changes/{change.uuid}/"') == 1

    @pytest.mark.parametrize("name", ["viewer", "operator", "operator2", "approver", "security", "admin"])
    def test_is_what_the_change_itself_says_of_each_person(
        self, request: pytest.FixtureRequest, operator: User, environment: Fleet, ask: Ask, name: str
    ) -> None:
        user = request.getfixturevalue(name)
        for slug, environment_class in (("live", "production"), ("stage", "staging")):
            where = environment(slug, environment_class=environment_class)
            ask(where, operator, "awaiting_approval")
            ask(where, operator, "approved")
            voted = ask(where, operator, "awaiting_approval")
            Vote.objects.create(proposal=voted.proposal, user=user, decision="approve")
            doubted = ask(where, operator, "awaiting_approval")
            Vote.objects.create(proposal=doubted.proposal, user=user, decision="reject")
            own = ask(where, user, "awaiting_approval")
            own.proposal.facts["mode"] = "destroy"
            own.proposal.save()
        changes = Change.objects.for_lists().order_by("created_at")
        roles = roles_of(user, where.tenant)
        expected = [change for change in changes if can_approve(change, user, roles).allowed]
        assert awaiting(user) == expected
        assert bool(expected) == (name == "approver")


class TestSearch:
    def test_groups_hits_of_every_room(
        self, sign_in: SignIn, viewer: User, operator: User, environment: Fleet, ask: Ask
    ) -> None:
        live = environment("live")
        ask(live, operator, "succeeded", ticket="LIVE-7")
        Resource.objects.create(
            environment=live, address="aws_lb.live", type="aws_lb", name="live", arn="arn:aws:lb/live"
        )
        answer = sign_in(viewer).get("/search/?q=live")
        assert [kind for kind, _hits in answer.context["groups"]] == ["Environment", "Change", "Resource"]
        assert 'value="live"' in answer.content.decode()

    @pytest.mark.parametrize("text", ["triflow.live", "TriFlow live", "li", "LIVE"])
    def test_finds_an_environment_by_any_part(
        self, sign_in: SignIn, viewer: User, environment: Fleet, text: str
    ) -> None:
        environment("live")
        page = sign_in(viewer).get("/search/", {"q": text}).content.decode()
        assert 'href="/environments/triflow/live/"' in page

    def test_finds_nothing_of_others(
        self, sign_in: SignIn, outsider: User, operator: User, environment: Fleet, ask: Ask
    ) -> None:
        live = environment("live")
        ask(live, operator, "succeeded")
        Resource.objects.create(environment=live, address="aws_lb.live", type="aws_lb", name="live")
        page = sign_in(outsider).get("/search/?q=live").content.decode()
        assert "Nothing found" in page

    @pytest.mark.parametrize("text", ["", "l", "  "])
    def test_one_letter_is_in_everything(
        self, sign_in: SignIn, viewer: User, environment: Fleet, text: str
    ) -> None:
        Environment.objects.create(tenant=environment("live").tenant, slug="l", name="l")
        page = sign_in(viewer).get("/search/", {"q": text}).content.decode()
        assert "Type at least 2 characters" in page
        assert 'href="/environments/triflow/' not in page

    @pytest.mark.parametrize("text", ["%%", "<script>", "' OR 1=1 --", "..", "한글"])
    def test_odd_texts_find_nothing_and_break_nothing(
        self, sign_in: SignIn, viewer: User, environment: Fleet, text: str
    ) -> None:
        environment("live")
        answer = sign_in(viewer).get("/search/", {"q": text})
        assert answer.status_code == 200
        assert "<script>'" not in answer.content.decode()
        assert "Nothing found" in answer.content.decode()
