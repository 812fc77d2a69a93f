"""Making a definition: permitted, numbered, recorded; secrets in, never out."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from environments.blueprints.actions import define, tfvars_of, whole_definition
from environments.blueprints.comparing import compare
from environments.models import Definition, DefinitionError, Environment
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, InvalidInput, NotAllowed, StaleState
from tests.cast import by

SECRET = "correct horse battery"
PRECISE = "12345678901234567890.123456789"


def made(user: User, environment: Environment, **variables: object) -> Definition:
    values = {"name": "web-service", **variables}
    return define(by=by(user), environment=environment, variables=values, sensitive={"password": SECRET})


def test_definitions_are_numbered_and_immutable(environment: Environment, operator: User) -> None:
    first, second = made(operator, environment), made(operator, environment, size=2)
    assert (first.number, second.number) == (1, 2)
    assert environment.latest_definition == second
    second.note = "changed"
    with pytest.raises(DefinitionError):
        second.save()


def test_numbers_stay_exact_to_terraform(environment: Environment, operator: User) -> None:
    one = made(operator, environment, ports=[Decimal(PRECISE), 80], extra={"half": 0.5})
    one = Definition.objects.get(pk=one.pk)
    text = tfvars_of(one)
    assert PRECISE in text
    assert f'"password": "{SECRET}"' in text
    assert json.loads(text, parse_float=Decimal)["ports"] == [80, Decimal(PRECISE)]


def test_secrets_are_nowhere_in_clear(environment: Environment, operator: User) -> None:
    one = made(operator, environment)
    made(operator, environment, size=3)
    assert "password" not in one.variables
    assert SECRET not in str(list(AuditEvent.objects.values()))
    events = AuditEvent.objects.filter(action="definition.create").order_by("sequence")
    assert events[0].after["sensitive_variables"] == ["set password"]
    assert events[1].after["sensitive_variables"] == ["unchanged password"]
    assert events[1].before["number"] == 1


def test_who_may_define(
    environment: Environment, operator: User, viewer: User, approver: User, outsider: User, admin: User
) -> None:
    made(operator, environment)
    for person in (viewer, approver):
        with pytest.raises(NotAllowed):
            made(person, environment)
    with pytest.raises(Http404):
        made(outsider, environment)
    assert environment.definitions.count() == 1
    refused = AuditEvent.objects.filter(action="definition.create", outcome="refused")
    assert {event.actor_id for event in refused} == {"viewer", "approver"}


def test_wrong_values_make_no_definition(environment: Environment, operator: User) -> None:
    with pytest.raises(InvalidInput) as caught:
        made(operator, environment, size=0, zones=["ab"])
    assert set(caught.value.errors) == {"size", "zones"}
    assert not environment.definitions.exists()
    assert not AuditEvent.objects.filter(action="definition.create").exists()


def test_an_environment_that_cannot_have_one(environment: Environment, operator: User) -> None:
    environment.blueprint = ""
    with pytest.raises(Conflict, match="no blueprint"):
        made(operator, environment)


def test_a_newer_definition_is_noticed(environment: Environment, operator: User, operator2: User) -> None:
    made(operator, environment)
    made(operator2, environment, size=2)
    with pytest.raises(StaleState, match="Definition 2"):
        define(
            by=by(operator),
            environment=environment,
            variables={"name": "x-y-z"},
            sensitive={"password": SECRET},
            base=1,
        )


def test_what_differs(
    environment: Environment, production: Environment, operator: User, workshop: Path
) -> None:
    one = made(operator, environment, tags={"a": "1", "b": "2"}, scaling={"min": 1})
    (workshop / "variables.tf").write_text(
        (workshop / "variables.tf").read_text().replace("default = 1.50", "default = 2.5")
    )
    other = define(
        by=by(operator),
        environment=production,
        variables={"name": "web-service", "tags": {"a": "1", "c": "3"}, "scaling": {"min": 2}},
        sensitive={"password": SECRET + "!"},
    )
    found = {row.name: row for row in compare(one, other).changed}
    assert set(found) == {"size", "tags.b", "tags.c", "scaling.min", "password"}
    assert (found["scaling.min"].before, found["scaling.min"].after) == (1, 2)
    assert found["tags.b"].after_missing and found["tags.c"].before_missing
    assert found["password"].sensitive and found["password"].before is None
    difference = compare(one, other)
    assert [(f.path, f.how) for f in difference.files] == [("blueprints/workshop/variables.tf", "changed")]
    assert "+  default = 2.5" in difference.variables_diff
    assert compare(one, one).changed == []


def test_the_api_carries_secrets_over(
    environment: Environment, operator: User, api: Callable[[User], APIClient]
) -> None:
    client = api(operator)
    url = "/api/v1/environments/triflow.staging/definitions/"
    values = f'{{"name": "web-service", "password": "{SECRET}", "ports": [{PRECISE}]}}'
    body = f'{{"variables": {values}, "note": "n"}}'
    answer = client.post(url, body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert PRECISE.encode() in answer.content
    assert SECRET.encode() not in answer.content
    second = client.post(url, {"variables": {"name": "web-service", "size": 7}}, format="json").json()
    assert (second["number"], second["sensitive"]) == (2, ["password"])
    assert environment.latest_definition is not None
    assert environment.latest_definition.sensitive == {"password": SECRET}
    listed = client.get(url)
    assert [row["number"] for row in listed.json()["results"]] == [2, 1]
    assert PRECISE.encode() in listed.content
    assert client.get(url + "1/").json()["note"] == "n"


def test_the_api_refuses_by_path(
    environment: Environment, operator: User, api: Callable[[User], APIClient]
) -> None:
    url = "/api/v1/environments/triflow.staging/definitions/"
    client = api(operator)
    answer = client.post(
        url, {"variables": {"name": "Bad", "password": SECRET, "scaling": {"min": "x"}}}, format="json"
    )
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"name", "scaling.min"}
    for body in ("[]", '{"variables": []}', "{", '{"variables": {"a": NaN}}', '{"variables": {}, "note": 3}'):
        assert client.post(url, body, content_type="application/json").status_code == 400


def test_the_api_keeps_to_the_tenant(
    environment: Environment, operator: User, viewer: User, outsider: User, api: Callable[[User], APIClient]
) -> None:
    url = "/api/v1/environments/triflow.staging/definitions/"
    assert api(outsider).get(url).status_code == 404
    assert api(viewer).get(url).status_code == 200
    assert api(viewer).post(url, {"variables": {}}, format="json").status_code in (400, 403)
    values = {"variables": {"name": "web-service", "password": SECRET}}
    assert api(viewer).post(url, values, format="json").status_code == 403
    assert not environment.definitions.exists()


def test_blueprints_in_the_api(
    environment: Environment, viewer: User, api: Callable[[User], APIClient]
) -> None:
    client = api(viewer)
    assert [row["slug"] for row in client.get("/api/v1/blueprints/").json()["results"]] == ["workshop"]
    one = client.get("/api/v1/blueprints/workshop/").json()
    size = next(row for row in one["variables"] if row["name"] == "size")
    assert (size["type"], size["default"], size["required"]) == ("number", 1.5, False)
    assert client.get("/api/v1/blueprints/none/").status_code == 404


def test_clearing_a_secret(environment: Environment, operator: User) -> None:
    made(operator, environment)
    plain, secrets = whole_definition(environment, {"name": "x", "password": None})
    assert (plain, secrets) == ({"name": "x"}, {})


def test_lists_cost_the_same_however_long(
    environment: Environment,
    operator: User,
    api: Callable[[User], APIClient],
) -> None:
    client = api(operator)
    url = "/api/v1/environments/triflow.staging/definitions/"
    counts = []
    for _more in range(2):
        for size in range(1, 6):
            made(operator, environment, size=size)
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
