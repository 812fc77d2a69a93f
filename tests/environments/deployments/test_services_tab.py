"""The Services tab, a service's page, the overview's column, the card, the inbox and search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from environments.deployments.models import ServiceStatus
from environments.deployments.shown import ownership
from environments.deployments.tab import columns, needs
from environments.models import Environment, Tenant
from environments.registry import registry
from environments.runs.models import Output
from portal.accounts.models import User
from tests.environments.deployments import crafted

SignIn = Callable[[User], Client]
HERE = "/environments/triflow/production/"


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_tab_lists_services_worst_first(
    production: Environment, operator: User, approver: User, sign_in: SignIn
) -> None:
    crafted.status(production, "backend")
    crafted.status(production, "worker", running=0, short_since=timezone.now() - timedelta(hours=1))
    done = crafted.deployment(production, operator, "succeeded", "backend", tag="v1", digest=crafted.OLD)
    waiting = crafted.deployment(production, operator, "awaiting_approval", "backend")
    text = text_of(sign_in(operator), HERE + "services/")
    assert text.index('service/worker/"') < text.index('service/backend/"')
    for said in (
        "0 of 2 tasks run",
        "v1 · 1a1a1a1a1a1a",
        "triflow-ai-production-backend:1",
        "(2 – 6)",
        "never deployed from here",
        str(done.uuid),
        str(waiting.uuid),
        f"{HERE}deployments/new/?service=backend",
        f"{HERE}deployments/restart/?service=worker",
        f"{HERE}deployments/scale/?service=worker",
        f"{HERE}deployments/rollback/?service=worker",
        f"{HERE}deployments/promote/",
        "Look now",
    ):
        assert said in text, said


def test_who_may_not_ask_sees_no_buttons(production: Environment, viewer: User, sign_in: SignIn) -> None:
    crafted.status(production, "backend")
    for address in ("services/", "service/backend/"):
        text = text_of(sign_in(viewer), HERE + address)
        assert "deployments/restart/" not in text
        assert "This needs one of these roles in the tenant" in text


@pytest.mark.parametrize("address", ["services/", "service/backend/", "deployments/"])
def test_who_may_see_the_pages(
    production: Environment, viewer: User, outsider: User, sign_in: SignIn, address: str
) -> None:
    assert sign_in(viewer).get(HERE + address).status_code == 200
    assert sign_in(viewer).post(HERE + address).status_code == 405
    assert sign_in(outsider).get(HERE + address).status_code == 404
    assert Client().get(HERE + address).status_code == 302


def test_empty_and_never_looked_at(
    production: Environment, tenant: Tenant, viewer: User, sign_in: SignIn
) -> None:
    Environment.objects.create(tenant=tenant, slug="bare", name="bare")
    assert "No services here" in text_of(sign_in(viewer), "/environments/triflow/bare/services/")
    assert "Nothing was deployed from here yet" in text_of(
        sign_in(viewer), "/environments/triflow/bare/deployments/"
    )
    text = text_of(sign_in(viewer), HERE + "services/")
    assert text.count("Not looked at yet") == 2
    assert "Healthy" not in text
    assert sign_in(viewer).get(HERE + "service/nobody/").status_code == 404


def test_an_old_look_is_unknown_and_says_why(production: Environment, viewer: User, sign_in: SignIn) -> None:
    crafted.status(
        production,
        "backend",
        taken_at=timezone.now() - timedelta(hours=2),
        error="The permission ecs:DescribeServices is missing",
        error_at=timezone.now(),
    )
    text = text_of(sign_in(viewer), HERE + "service/backend/")
    assert "Unknown since the last look" in text
    assert "ecs:DescribeServices" in text
    assert "(stale)" in text


def test_the_services_page(production: Environment, operator: User, approver: User, sign_in: SignIn) -> None:
    crafted.status(production, "backend")
    change = crafted.deployment(production, operator, "succeeded", "backend", approver=approver)
    crafted.deployment(production, operator, "succeeded", "worker", tag="build-of-worker")
    text = text_of(sign_in(operator), HERE + "service/backend/")
    for said in (
        "Who owns what",
        "variable LOG_LEVEL",
        "everything else: other variables",
        str(approver),
        "4 min 0 s",
        "v2 · 2b2b2b2b2b2b",
        f"to={change.uuid}",
        "How delivery goes",
        "arn:aws:ecs:",
        "ap-northeast-2a",
    ):
        assert said in text, said
    assert "build-of-worker" not in text


def test_history_is_paged_by_key(production: Environment, operator: User, sign_in: SignIn) -> None:
    for number in range(23):
        crafted.deployment(production, operator, "succeeded", "backend", tag=f"build-{number}")
    client = sign_in(operator)
    first = client.get(HERE + "service/backend/")
    assert [row.tag for row in first.context["rows"]] == [f"build-{n}" for n in range(22, 2, -1)]
    second = client.get(HERE + f"service/backend/?cursor={first.context['page'].older}")
    assert [row.tag for row in second.context["rows"]] == ["build-2", "build-1", "build-0"]
    assert client.get(HERE + "deployments/?cursor=nonsense").status_code == 400


def test_the_history_in_the_api(
    production: Environment, operator: User, approver: User, outsider: User, api: Any
) -> None:
    change = crafted.deployment(production, operator, "failed", "backend", approver=approver)
    crafted.went_wrong(change, "rolled_back", "New tasks kept failing.")
    crafted.deployment(production, operator, "succeeded", "worker")
    here = "/api/v1/environments/triflow.production/"
    rows = api(operator).get(here + "services/backend/history/").json()["results"]
    assert [(row["service"], row["outcome"], row["approved_by"]) for row in rows] == [
        ("backend", "rolled_back", [str(approver)])
    ]
    assert len(api(operator).get(here + "deployments/").json()["results"]) == 2
    figures = api(operator).get(here + "services/backend/figures/?days=90").json()
    assert (figures["days"], figures["failure_rate"], figures["lead_time_seconds"]) == (90, 1.0, None)
    assert api(operator).get(here + "deployments/figures/").json()["deployments"] == 1
    assert api(operator).get(here + "services/nobody/history/").status_code == 404
    for address in ("services/backend/history/", "deployments/", "deployments/figures/"):
        assert api(outsider).get(here + address).status_code == 404
    # A service that is no more keeps its history.
    production.resources.all().delete()
    assert len(api(operator).get(here + "services/backend/history/").json()["results"]) == 1


def test_more_services_and_deployments_cost_no_more_queries(
    production: Environment, operator: User, sign_in: SignIn
) -> None:
    client = sign_in(operator)
    counts = []
    for names in (("backend",), ("a", "b", "c", "d", "e", "f")):
        if len(names) > 1:
            crafted.services(production, *names)
        for name in names:
            crafted.status(production, name, tasks=crafted.tasks(name, 1, 100))
            crafted.deployment(production, operator, "succeeded", name)
            crafted.deployment(production, operator, "executing", name)
        for address in ("services/", f"service/{names[0]}/", "deployments/", ""):
            client.get(HERE + address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(HERE + address).status_code == 200
            counts.append(len(queries))
    assert counts[:4] == counts[4:]


def test_the_overviews_column(production: Environment, tenant: Tenant) -> None:
    bare = Environment.objects.create(tenant=tenant, slug="bare", name="bare")
    found = columns.cells([production, bare])
    assert bare.pk not in found
    assert (found[production.pk].state, found[production.pk].text) == (
        "unknown",
        "Services not looked at yet",
    )
    crafted.status(production, "backend")
    assert columns.cells([production])[production.pk].state == "unknown"
    crafted.status(production, "worker")
    chip = columns.cells([production])[production.pk]
    assert (chip.state, chip.text) == ("healthy", "2 services run")
    assert chip.link == HERE + "services/"
    ServiceStatus.objects.filter(service="worker").update(status="MISSING")
    chip = columns.cells([production])[production.pk]
    assert (chip.state, chip.text) == ("failing", "1 of 2: Gone")
    ServiceStatus.objects.filter(service="worker").update(status="ACTIVE")
    crafted.services(Environment.objects.create(tenant=tenant, slug="x", name="x"), "api")
    with CaptureQueriesContext(connection) as one:
        columns.cells([production])
    everywhere = list(Environment.objects.select_related("tenant"))
    with CaptureQueriesContext(connection) as all_of_them:
        columns.cells(everywhere)
    assert len(one) == len(all_of_them)


def test_a_newer_revision_of_terraform_shows_on_tab_and_overview(
    production: Environment, viewer: User, sign_in: SignIn
) -> None:
    for name in ("backend", "worker"):
        crafted.status(production, name)
    output = Output.objects.get(environment=production)
    output.value["backend"]["task_definition"] = crafted.revision("backend", 2)
    output.save()
    assert columns.cells([production])[production.pk].state == "attention"
    assert "waits for a deployment" in text_of(sign_in(viewer), HERE + "services/")


def test_the_inbox_tells_operators_of_failing_services(
    production: Environment, operator: User, viewer: User, outsider: User
) -> None:
    crafted.status(production, "backend")
    assert list(needs.needs(operator)) == []
    ServiceStatus.objects.update(running=0, short_since=timezone.now() - timedelta(minutes=10))
    assert [one.title for one in needs.needs(operator)] == ["backend of TriFlow AI production"]
    assert list(needs.needs(viewer)) == list(needs.needs(outsider)) == []
    # Nobody knows any more: that is no failure.
    ServiceStatus.objects.update(taken_at=timezone.now() - timedelta(hours=1))
    assert list(needs.needs(operator)) == []


def test_the_inbox_offers_the_way_back_until_it_is_gone(
    production: Environment, operator: User, operator2: User
) -> None:
    change = crafted.deployment(production, operator, "failed", "backend")
    crafted.went_wrong(change, "rollback_failed", "No capacity.")
    found = list(needs.needs(operator))
    assert [(one.verb, one.link) for one in found] == [
        ("Roll back", f"{HERE}deployments/rollback/?change={change.uuid}")
    ]
    assert list(needs.needs(operator2)) == []
    crafted.deployment(production, operator2, "succeeded", "backend", act="rollback")
    assert list(needs.needs(operator)) == []


def test_search(production: Environment, viewer: User, outsider: User, operator: User) -> None:
    crafted.status(production, "backend")
    crafted.deployment(production, operator, "succeeded", "backend")
    assert [hit.title for hit in columns.search(viewer, "back")] == ["backend"]
    assert [hit.title for hit in columns.search(viewer, crafted.service_arn("backend"))] == ["backend"]
    for text in (crafted.NEW, crafted.NEW.removeprefix("sha256:")[:12]):
        assert [hit.kind for hit in columns.search(viewer, text)] == ["Deployment"]
    assert list(columns.search(outsider, "back")) == list(columns.search(outsider, crafted.NEW)) == []


def test_ownership_through_the_registry(production: Environment, operator: User) -> None:
    crafted.status(production, "backend")
    groups = registry.ownership(production)
    assert [group["service"] for group in groups] == ["backend", "worker"]
    rows = {row["field"]: row for row in groups[0]["rows"]}
    assert (rows["image"]["owner"], rows["image"]["value"]) == ("deployment", "v1 · 1a1a1a1a1a1a")
    assert (rows["cpu"]["owner"], rows["cpu"]["value"]) == ("deployment", "256")
    assert (rows["memory"]["owner"], rows["memory"]["value"]) == ("terraform", "1024")
    assert "newest revision, triflow-ai-production-backend:1" in rows["memory"]["source"]
    crafted.deployment(production, operator, "succeeded", "backend")
    rows = {row["field"]: row for row in registry.ownership(production)[0]["rows"]}
    assert "Deploy v2 to backend" in rows["cpu"]["source"]
    assert rows["cpu"]["value"] == ""
    assert rows["memory"]["value"] == "1024"


def test_a_deployment_elsewhere_says_nothing_here(production: Environment, operator: User) -> None:
    other = Environment.objects.create(tenant=production.tenant, slug="other", name="other")
    crafted.deployment(other, operator, "succeeded", "backend")
    assert ownership.last_good(production, [crafted.service_arn("backend")]) == {}


def test_twins_are_named_by_their_addresses(production: Environment, viewer: User, sign_in: SignIn) -> None:
    twin = production.resources.get(address__contains='"worker"].aws_ecs_service')
    twin.attributes["name"] = "backend"
    twin.save()
    text = text_of(sign_in(viewer), HERE + "services/")
    assert HERE + "service/module.service%5B%22worker%22%5D.aws_ecs_service.this/" in text
    assert sign_in(viewer).get(HERE + "service/backend/").status_code == 404
    page = text_of(sign_in(viewer), HERE + 'service/module.service["worker"].aws_ecs_service.this/')
    assert crafted.service_arn("worker") in page
