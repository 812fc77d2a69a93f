"""Describing, editing, cloning and retiring environments; placing and lifting holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from environments.models import AwsAccount, Definition, Environment, Hold, Resource
from environments.registry import registry
from portal.accounts.models import User
from tests.environments.recorded import last, outcomes

SignIn = Callable[[User], Client]
NEW = "/tenants/triflow/environments/new/"
HERE = "/environments/triflow/staging/"
FORM = {"slug": "blue", "name": "Blue", "environment_class": "staging", "region": "ap-northeast-2"}
EDIT = {"name": "stage", "environment_class": "staging", "region": "us-east-1", "owner": "Ops"}


@pytest.fixture(autouse=True)
def offered() -> Iterator[None]:
    before, registry.blueprints = registry.blueprints, lambda: ("web-service",)
    yield
    registry.blueprints = before


class TestDescribing:
    @pytest.mark.parametrize("role", ["operator", "admin"])
    def test_is_possible_before_there_is_a_blueprint(
        self, sign_in: SignIn, request: pytest.FixtureRequest, account: AwsAccount, role: str
    ) -> None:
        client = sign_in(request.getfixturevalue(role))
        answer = client.post(NEW, {**FORM, "account": account.pk, "links": "Board https://board.example"})
        assert answer["Location"] == "/environments/triflow/blue/"
        made = Environment.objects.get(slug="blue")
        assert (made.blueprint, made.account) == ("", account)
        assert "Described only" in client.get(answer["Location"]).content.decode()
        assert last("environment.create").environment == "blue"

    def test_viewers_do_not(self, sign_in: SignIn, viewer: User) -> None:
        answer = sign_in(viewer).post(NEW, FORM)
        assert answer.status_code == 403
        assert "one of these roles" in answer.content.decode()
        assert not Environment.objects.exists()
        assert outcomes("environment.create") == [("viewer", "refused")]

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("slug", "staging", "already exists"),
            ("slug", "No!", "lower-case"),
            ("blueprint", "moonbase", "not one of the available choices"),
            ("links", "see ftp://x", "no address"),
            ("name", "", "required"),
        ],
    )
    def test_wrong_input_keeps_what_was_typed(
        self, sign_in: SignIn, operator: User, place: Environment, field: str, value: str, said: str
    ) -> None:
        answer = sign_in(operator).post(NEW, {**FORM, "owner": "Somebody of mine", field: value})
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert "Somebody of mine" in answer.content.decode()
        assert Environment.objects.count() == 1

    def test_another_tenants_account_is_no_choice(
        self, sign_in: SignIn, operator: User, other_account: AwsAccount
    ) -> None:
        assert sign_in(operator).post(NEW, {**FORM, "account": other_account.pk}).status_code == 400
        assert not Environment.objects.exists()


class TestEditing:
    def test_alters_the_description_and_says_what_it_was(
        self, sign_in: SignIn, operator: User, place: Environment
    ) -> None:
        assert sign_in(operator).post(f"{HERE}edit/", EDIT).status_code == 302
        place.refresh_from_db()
        assert (place.name, place.owner, place.region) == ("stage", "Ops", "us-east-1")
        event = last("environment.update")
        assert (event.before["owner"], event.after["owner"]) == ("", "Ops")  # type: ignore[index]

    def test_viewers_do_not(self, sign_in: SignIn, viewer: User, place: Environment) -> None:
        assert sign_in(viewer).post(f"{HERE}edit/", EDIT).status_code == 403
        place.refresh_from_db()
        assert place.name == "staging"
        assert outcomes("environment.update") == [("viewer", "refused")]

    def test_the_blueprint_stays_while_resources_stand(
        self, sign_in: SignIn, operator: User, place: Environment
    ) -> None:
        Environment.objects.update(blueprint="old")
        Resource.objects.create(environment=place, address="a.b", type="a", name="b")
        answer = sign_in(operator).post(f"{HERE}edit/", {**EDIT, "blueprint": "web-service"})
        assert answer.status_code == 400
        assert "destroy them first" in answer.content.decode()

    def test_a_blueprint_that_has_gone_may_stay(
        self, sign_in: SignIn, operator: User, place: Environment
    ) -> None:
        Environment.objects.update(blueprint="gone")
        assert sign_in(operator).post(f"{HERE}edit/", {**EDIT, "blueprint": "gone"}).status_code == 302

    def test_a_retired_one_is_left_alone(self, sign_in: SignIn, operator: User, place: Environment) -> None:
        Environment.objects.update(retired_at=timezone.now())
        answer = sign_in(operator).post(f"{HERE}edit/", EDIT)
        assert answer.status_code == 409
        assert outcomes("environment.update") == [("operator", "refused")]


class TestCloning:
    FORM = {"slug": "copy", "name": "Copy", "region": "ap-northeast-2"}

    @pytest.fixture
    def defined(self, place: Environment, operator: User) -> Definition:
        for number in (1, 2):
            made = Definition.objects.create(
                environment=place,
                number=number,
                blueprint="web-service",
                snapshot="0" * 64,
                variables={"size": number},
                sensitive={"password": "for staging only"},
                author=operator,
            )
        return made

    def test_takes_the_newest_definition_but_no_secret(
        self, sign_in: SignIn, operator: User, defined: Definition
    ) -> None:
        answer = sign_in(operator).post(f"{HERE}clone/", self.FORM)
        assert answer["Location"] == "/environments/triflow/copy/"
        copied = Definition.objects.get(environment__slug="copy")
        assert (copied.number, copied.variables, copied.sensitive) == (1, {"size": 2}, {})
        assert copied.environment.cloned_from == defined.environment
        assert outcomes("environment.clone") == [("operator", "done")]

    def test_twice_is_refused_by_its_name(self, sign_in: SignIn, operator: User, defined: Definition) -> None:
        client = sign_in(operator)
        client.post(f"{HERE}clone/", self.FORM)
        assert client.post(f"{HERE}clone/", self.FORM).status_code == 400
        assert Environment.objects.filter(slug="copy").count() == 1

    def test_viewers_do_not(self, sign_in: SignIn, viewer: User, defined: Definition) -> None:
        assert sign_in(viewer).post(f"{HERE}clone/", self.FORM).status_code == 403
        assert outcomes("environment.clone") == [("viewer", "refused")]


class TestHolding:
    def test_is_shown_with_who_may_lift_it(
        self, sign_in: SignIn, security: User, viewer: User, place: Environment
    ) -> None:
        answer = sign_in(security).post(f"{HERE}hold/", {"reason": "Quarter's audit"})
        assert answer.status_code == 302
        page = sign_in(viewer).get(HERE).content.decode()
        assert "Quarter&#x27;s audit" in page
        assert "may lift it" in page
        assert f'action="{HERE}release/"' not in page
        assert last("environment.hold").after["reason"] == "Quarter's audit"  # type: ignore[index]

    def test_twice_is_one_hold(self, sign_in: SignIn, operator: User, place: Environment) -> None:
        client = sign_in(operator)
        assert client.post(f"{HERE}hold/", {"reason": "one"}).status_code == 302
        assert client.post(f"{HERE}hold/", {"reason": "two"}).status_code == 409
        assert Hold.objects.get().reason == "one"
        assert outcomes("environment.hold") == [("operator", "done"), ("operator", "refused")]

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_needs_a_reason(self, sign_in: SignIn, operator: User, place: Environment, reason: str) -> None:
        answer = sign_in(operator).post(f"{HERE}hold/", {"reason": reason}, follow=True)
        assert not Hold.objects.exists()
        assert 'class="message message--error"' in answer.content.decode()

    def test_until_a_time_that_is_past_is_refused(
        self, sign_in: SignIn, operator: User, place: Environment
    ) -> None:
        past = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        answer = sign_in(operator).post(f"{HERE}hold/", {"reason": "x", "until": past}, follow=True)
        assert "This time is past" in answer.content.decode()
        assert not Hold.objects.exists()

    def test_viewers_do_not(self, sign_in: SignIn, viewer: User, place: Environment) -> None:
        assert sign_in(viewer).post(f"{HERE}hold/", {"reason": "x"}).status_code == 403
        assert not Hold.objects.exists()
        assert outcomes("environment.hold") == [("viewer", "refused")]


class TestReleasing:
    @pytest.fixture
    def hold(self, place: Environment, security: User) -> Hold:
        return Hold.objects.create(environment=place, reason="audit", placed_by=security)

    @pytest.mark.parametrize("role", ["operator", "admin", "security"])
    def test_operators_admins_and_its_placer_lift_it(
        self, sign_in: SignIn, request: pytest.FixtureRequest, hold: Hold, role: str
    ) -> None:
        user = request.getfixturevalue(role)
        assert sign_in(user).post(f"{HERE}release/").status_code == 302
        hold.refresh_from_db()
        assert hold.lifted_by == user
        assert outcomes("environment.release") == [(role, "done")]

    def test_an_approver_who_did_not_place_it_may_not(
        self, sign_in: SignIn, approver: User, hold: Hold
    ) -> None:
        assert sign_in(approver).post(f"{HERE}release/").status_code == 403
        hold.refresh_from_db()
        assert hold.lifted_at is None
        assert outcomes("environment.release") == [("approver", "refused")]

    def test_twice_says_that_it_is_not_on_hold(self, sign_in: SignIn, operator: User, hold: Hold) -> None:
        client = sign_in(operator)
        client.post(f"{HERE}release/")
        assert client.post(f"{HERE}release/").status_code == 409
        assert outcomes("environment.release") == [("operator", "done")]


class TestRetiring:
    def test_its_history_stays(self, sign_in: SignIn, admin: User, place: Environment) -> None:
        client = sign_in(admin)
        answer = client.post(f"{HERE}retire/", {"confirm_name": "triflow.staging"})
        assert answer.status_code == 302
        assert "Nothing can be requested here any more" in client.get(HERE).content.decode()
        assert outcomes("environment.retire") == [("admin", "done")]

    @pytest.mark.parametrize("typed", ["", "staging"])
    def test_asks_for_the_typed_id(
        self, sign_in: SignIn, admin: User, place: Environment, typed: str
    ) -> None:
        answer = sign_in(admin).post(f"{HERE}retire/", {"confirm_name": typed})
        assert answer.status_code == 400
        place.refresh_from_db()
        assert place.retired_at is None

    def test_not_while_it_holds_resources(self, sign_in: SignIn, admin: User, place: Environment) -> None:
        Resource.objects.create(environment=place, address="a.b", type="a", name="b")
        answer = sign_in(admin).post(f"{HERE}retire/", {"confirm_name": "triflow.staging"})
        assert answer.status_code == 409
        assert "still holds 1 resource" in answer.content.decode()
        place.refresh_from_db()
        assert place.retired_at is None

    def test_twice_is_a_conflict(self, sign_in: SignIn, admin: User, place: Environment) -> None:
        client = sign_in(admin)
        client.post(f"{HERE}retire/", {"confirm_name": "triflow.staging"})
        answer = client.post(f"{HERE}retire/", {"confirm_name": "triflow.staging"})
        assert answer.status_code == 409
        assert outcomes("environment.retire") == [("admin", "done"), ("admin", "refused")]

    def test_operators_do_not(self, sign_in: SignIn, operator: User, place: Environment) -> None:
        client = sign_in(operator)
        assert client.post(f"{HERE}retire/", {"confirm_name": "triflow.staging"}).status_code == 403
        place.refresh_from_db()
        assert place.retired_at is None
        assert outcomes("environment.retire") == [("operator", "refused")]


class TestItsPage:
    def test_has_tabs_path_and_the_sandbox_ribbon(
        self, sign_in: SignIn, viewer: User, place: Environment
    ) -> None:
        page = sign_in(viewer).get(HERE).content.decode()
        for tab in (
            "Overview",
            "Definition",
            "Changes",
            "Resources",
            "Outputs",
            "State versions",
            "Activity",
        ):
            assert f">{tab}" in page
        assert "SANDBOX" in page
        assert "data-sandbox" in page

    def test_the_real_aws_has_no_sandbox_ribbon(
        self, sign_in: SignIn, viewer: User, place: Environment
    ) -> None:
        AwsAccount.objects.update(kind="aws")
        assert "data-sandbox" not in sign_in(viewer).get(HERE).content.decode()

    def test_tells_whom_to_call(self, sign_in: SignIn, viewer: User, place: Environment) -> None:
        Environment.objects.update(
            on_call="Mina by phone", links=[{"title": "Runbook", "url": "https://run.example"}]
        )
        page = sign_in(viewer).get(HERE).content.decode()
        assert "Mina by phone" in page
        assert 'href="https://run.example"' in page
