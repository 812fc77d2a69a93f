"""An environment described together with its first definition: both, or neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from environments.models import Definition, Environment, Tenant
from portal.accounts.models import User
from tests.environments.recorded import outcomes

Api = Callable[..., APIClient]
ALL = "/api/v1/environments/"
VALUES = {
    "name": "web-service",
    "size": 2.5,
    "zones": ["a", "c"],
    "password": "correct horse battery",
    "scaling": {"min": 2},
}


def body(**values: Any) -> dict[str, Any]:
    return {"tenant": "triflow", "name": "Blue", "blueprint": "workshop", "variables": {**VALUES, **values}}


@pytest.mark.usefixtures("tenant", "workshop")
class TestCreatedWithValues:
    def test_both_are_made_and_secrets_stay_apart(self, api: Api, operator: User) -> None:
        answer = api(operator).post(ALL, body(), format="json")
        assert answer.status_code == 201, answer.json()
        assert answer.json()["definition"] == 1
        made = Definition.objects.get()
        assert made.environment.key == "triflow.blue"
        assert made.variables["size"] == 2.5
        assert made.sensitive == {"password": "correct horse battery"}
        assert outcomes("environment.create") == outcomes("definition.create") == [("operator", "done")]

    def test_or_neither(self, api: Api, operator: User) -> None:
        answer = api(operator).post(ALL, body(unknown=1), format="json")
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["variables.unknown"]
        assert not Environment.objects.exists()
        assert not Definition.objects.exists()

    def test_a_blueprint_that_is_not_there_is_no_blueprint(self, api: Api, operator: User) -> None:
        answer = api(operator).post(ALL, {**body(), "blueprint": "moonbase"}, format="json")
        assert list(answer.json()["errors"]) == ["blueprint"]
        assert Tenant.objects.get(slug="triflow").environments.count() == 0
