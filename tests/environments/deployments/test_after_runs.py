"""A Terraform run and deployments beside each other: what a run's page says of the revisions it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from environments.changes.models import Change
from environments.deployments.after_runs import deployed_with
from environments.models import Environment, Resource
from environments.registry import registry
from portal.accounts.models import User
from tests.environments.deployments import crafted
from tests.environments.runs.crafted import planned, row

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
DEFINITION = 'module.service["{}"].aws_ecs_task_definition.this'


def run_of(environment: Environment, operator: User, **effects: list[str]) -> Change:
    """A run that replaces the backend's task definition, with these consequences."""
    change = planned(environment, operator, [row(DEFINITION.format("backend"), "replace", cpu="1024")])
    assert change.proposal is not None
    change.proposal.facts["effects"] = effects
    change.proposal.save(update_fields=["facts"])
    return change


def text_of(client: Client, change: Change) -> str:
    answer = client.get(f"/changes/{change.uuid}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_run_says_which_services_next_deployment_takes_its_revision(
    production: Environment, operator: User, sign_in: SignIn
) -> None:
    address = DEFINITION.format("backend")
    change = run_of(production, operator, new_task_definition=[address], waits_for_deployment=[address])
    text = text_of(sign_in(operator), change)
    link = '<a href="/environments/triflow/production/service/backend/">backend</a>'
    assert f"Takes effect with the next deployment of {link}." in text
    assert 'deployment of <a href="/environments/triflow/production/service/worker/' not in text
    assert "Tasks are replaced by new ones." not in text
    assert "Who owns which field of the task definition" in text


def test_a_run_whose_service_takes_the_revision_promises_no_deployment(
    production: Environment, operator: User, sign_in: SignIn
) -> None:
    address = DEFINITION.format("backend")
    change = run_of(production, operator, new_task_definition=[address], restarts_tasks=["aws_ecs_service.a"])
    text = text_of(sign_in(operator), change)
    assert "Takes effect with the next deployment of" not in text
    assert "Tasks are replaced by new ones." in text


def test_services_are_found_by_the_family_that_they_run(production: Environment) -> None:
    both = [DEFINITION.format(name) for name in ("worker", "backend")]
    assert [name for name, _link in deployed_with(production, both)] == ["backend", "worker"]
    assert deployed_with(production, ["aws_ecs_task_definition.batch"]) == []
    # Another environment's addresses say nothing here.
    assert deployed_with(Environment(pk=0, tenant=production.tenant, slug="x"), both) == []


def test_without_a_declaration_the_inventory_tells_the_family(production: Environment) -> None:
    production.outputs.all().delete()
    address = DEFINITION.format("backend")
    assert deployed_with(production, [address]) == []
    service = Resource.objects.get(
        environment=production, address='module.service["backend"].aws_ecs_service.this'
    )
    service.attributes["task_definition"] = crafted.revision("backend", 3)
    service.save(update_fields=["attributes"])
    assert [name for name, _link in deployed_with(production, [address])] == ["backend"]


def test_many_services_cost_no_more_queries(production: Environment) -> None:
    def asked(names: list[str]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = registry.deployed_with(production, [DEFINITION.format(name) for name in names])
        assert [name for name, _link in found] == sorted(names)
        return len(queries)

    few = asked(["backend", "worker"])
    many: list[Any] = [f"service-{number:02}" for number in range(20)]
    Resource.objects.filter(environment=production).delete()
    crafted.services(production, *many)
    assert asked(many) == few
