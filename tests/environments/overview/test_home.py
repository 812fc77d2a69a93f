"""The first page: what needs me, then every environment, worst first."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from environments.changes.models import Change, Vote
from environments.models import Environment, Hold, Resource, Tenant
from environments.overview.queries import ROWS_SHOWN, fleet
from environments.runs.models import DriftCheck
from portal.accounts.models import User
from tests.environments.overview.conftest import Ask, Fleet

SignIn = Callable[[User], Client]
NAMES = re.compile(r'data-row-link href="/environments/[\w-]+/([\w-]+)/"')


def shown(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/{query}")
    assert answer.status_code == 200
    return NAMES.findall(answer.content.decode())


def drift(where: Environment, verdict: str) -> None:
    DriftCheck.objects.update_or_create(
        environment=where, defaults={"verdict": verdict, "count": 2, "taken_at": timezone.now()}
    )
    Resource.objects.get_or_create(environment=where, address="a.b", type="a", name="b")


@pytest.fixture
def mixed(environment: Fleet, ask: Ask, operator: User) -> None:
    """One environment in each state, named for it."""
    for slug, status in (("broken", "failed"), ("moving", "executing"), ("asked", "awaiting_approval")):
        where = environment(slug, environment_class="production")
        drift(where, "clean")
        ask(where, operator, status)
    well = environment("well")
    drift(well, "clean")
    ask(well, operator, "succeeded")
    drift(environment("drifted", environment_class="staging"), "drifted")
    environment("unseen")
    environment("drawn", blueprint="")


class TestOrder:
    def test_is_worst_first_and_what_is_only_described_last(
        self, sign_in: SignIn, viewer: User, mixed: None
    ) -> None:
        order = ["broken", "asked", "drifted", "moving", "unseen", "well", "drawn"]
        assert shown(sign_in(viewer)) == order

    def test_retired_and_unseen_ones_are_not_there(
        self, sign_in: SignIn, viewer: User, environment: Fleet, other_tenant: Tenant
    ) -> None:
        environment("old", retired_at=timezone.now())
        environment("theirs", tenant=other_tenant)
        environment("mine")
        assert shown(sign_in(viewer)) == ["mine"]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?state=failing", ["broken"]),
            ("?state=attention", ["asked", "drifted"]),
            ("?environment_class=staging", ["drifted"]),
            ("?q=ell", ["well"]),
            ("?tenant=triflow&state=healthy", ["well"]),
            ("?tenant=onno", None),
            ("?state=healthy&q=nothing", []),
        ],
    )
    def test_narrow(
        self, sign_in: SignIn, viewer: User, mixed: None, query: str, names: list[str] | None
    ) -> None:
        found = shown(sign_in(viewer), query)
        # A tenant of others is no choice: it narrows nothing, and tells nothing.
        assert found == names if names is not None else len(found) == 7

    def test_an_empty_answer_says_so(self, sign_in: SignIn, viewer: User, mixed: None) -> None:
        assert "No environment matches" in sign_in(viewer).get("/?q=nothing").content.decode()

    def test_states_are_counted(self, sign_in: SignIn, viewer: User, mixed: None) -> None:
        page = sign_in(viewer).get("/")
        counts = {"failing": 1, "attention": 2, "progress": 1, "unknown": 2, "healthy": 1}
        assert dict(page.context["states"]) == counts


class TestWhatToDo:
    def labels(self, where: Environment) -> list[str]:
        (row,) = fleet(Environment.objects.filter(pk=where.pk))
        return [row.todo.label, row.todo.link] if row.todo else []

    def test_a_waiting_change_leads_to_it(self, environment: Fleet, ask: Ask, operator: User) -> None:
        where = environment("live")
        change = ask(where, operator, "awaiting_approval")
        assert self.labels(where) == ["Review 1 change", f"/changes/{change.uuid}/"]
        ask(where, operator, "awaiting_approval")
        assert self.labels(where) == ["Review 2 changes", "/environments/triflow/live/changes/"]

    @pytest.mark.parametrize(
        ("status", "values", "label"),
        [
            ("failed", {}, "Read the error"),
            ("executing", {}, "Watch"),
            ("approved", {"start": "manual"}, "Start it"),
        ],
    )
    def test_the_newest_change_speaks(
        self, environment: Fleet, ask: Ask, operator: User, status: str, values: dict[str, str], label: str
    ) -> None:
        where = environment("live")
        ask(where, operator, "succeeded")
        change = ask(where, operator, status, **values)
        assert self.labels(where) == [label, f"/changes/{change.uuid}/"]

    def test_a_failure_that_was_mended_is_over(self, environment: Fleet, ask: Ask, operator: User) -> None:
        where = environment("live")
        drift(where, "clean")
        ask(where, operator, "failed")
        ask(where, operator, "succeeded")
        assert self.labels(where) == []
        (row,) = fleet(Environment.objects.filter(pk=where.pk))
        assert row.state == "healthy"

    def test_drift_leads_to_the_drift(self, environment: Fleet, ask: Ask, operator: User) -> None:
        where = environment("live")
        ask(where, operator, "succeeded")
        drift(where, "drifted")
        assert self.labels(where) == ["Look", "/environments/triflow/live/drift/"]

    def test_a_first_run_is_suggested(self, environment: Fleet) -> None:
        assert self.labels(environment("live"))[0] == "Plan a first run"
        assert self.labels(environment("drawn", blueprint="")) == []


class TestNeedsMe:
    def test_has_my_votes_first_of_all(
        self, sign_in: SignIn, approver: User, environment: Fleet, ask: Ask, operator: User
    ) -> None:
        change = ask(environment("live", environment_class="production"), operator, "awaiting_approval")
        page = sign_in(approver).get("/").content.decode()
        assert page.index("Needs me") < page.index("Environments, worst first")
        assert f'button--primary" href="/changes/{change.uuid}/"' in page
        assert "Nothing waits for you" in sign_in(operator).get("/").content.decode()

    def test_my_vote_ends_it(self, approver: User, environment: Fleet, ask: Ask, operator: User) -> None:
        from environments.overview.queries import needs_of

        change = ask(environment("live", environment_class="production"), operator, "awaiting_approval")
        assert [need.verb for need in needs_of(approver)] == ["Review"]
        Vote.objects.create(proposal=change.proposal, user=approver, decision="approve")
        assert needs_of(approver) == []


def test_a_hold_is_marked(sign_in: SignIn, viewer: User, environment: Fleet) -> None:
    Hold.objects.create(environment=environment("live"), reason="audit", placed_by=viewer)
    assert "on hold" in sign_in(viewer).get("/").content.decode()


def grow(tenant: Tenant, user: User, count: int, ask: Ask) -> None:
    """More of everything: environments, resources, drift, waiting and failed changes."""
    start = Environment.objects.count()
    rows = [
        Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}", environment_class="production", blueprint="b")
        for n in range(start, start + count)
    ]
    Environment.objects.bulk_create(rows)
    for n, row in enumerate(Environment.objects.filter(slug__in=[row.slug for row in rows])):
        drift(row, "drifted" if n % 3 else "clean")
        if n % 4 == 0:
            ask(row, user, "awaiting_approval")
        else:
            ask(row, user, "failed" if n % 7 == 0 else "succeeded")


@pytest.mark.parametrize("path", ["/", "/inbox/", "/changes/", "/tenants/", "/search/?q=e1"])
def test_fifty_and_five_hundred_environments_ask_the_database_the_same(
    sign_in: SignIn, approver: User, operator: User, tenant: Tenant, ask: Ask, path: str
) -> None:
    client = sign_in(approver)
    grow(tenant, operator, 50, ask)
    client.get(path)
    with CaptureQueriesContext(connection) as fifty:
        client.get(path)
    grow(tenant, operator, 450, ask)
    with CaptureQueriesContext(connection) as many:
        answer = client.get(path)
    assert answer.status_code == 200
    assert Change.objects.count() == Environment.objects.count() == 500
    assert len(many) == len(fifty), [query["sql"][:120] for query in many]


def test_more_rows_than_anybody_reads_are_cut_and_it_says_so(
    sign_in: SignIn, viewer: User, tenant: Tenant
) -> None:
    Environment.objects.bulk_create(
        Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}", blueprint="b") for n in range(ROWS_SHOWN + 30)
    )
    client = sign_in(viewer)
    assert len(shown(client)) == ROWS_SHOWN
    assert f"The worst {ROWS_SHOWN} of {ROWS_SHOWN + 30} are shown" in client.get("/").content.decode()
