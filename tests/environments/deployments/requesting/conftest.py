"""An environment whose services stand in the database alone: a request reads no AWS."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes import dispatch
from environments.models import AwsAccount, Environment, Tenant
from tests.environments.deployments import crafted


def made(tenant: Tenant, slug: str, kind: str, *names: str) -> Environment:
    account, _made = AwsAccount.objects.get_or_create(
        tenant=tenant, name="main", defaults={"account_id": crafted.ACCOUNT, "kind": "sandbox"}
    )
    environment = Environment.objects.create(
        tenant=tenant, slug=slug, name=slug, environment_class=kind, account=account, region=crafted.REGION
    )
    crafted.services(environment, *names)
    return environment


@pytest.fixture
def production(tenant: Tenant) -> Environment:
    """With the services "api" then "ws"."""
    return made(tenant, "production", "production", "api", "ws")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(id, queue) of what was sent to workers."""
    found: list[tuple[str, str]] = []

    def send(change_uuid: str, *, queue: str = "") -> bool:
        found.append((change_uuid, queue))
        return True

    monkeypatch.setattr(dispatch, "send", send)
    return found


@pytest.fixture
def at_status() -> Any:
    """Put a change where the engine would have brought it."""

    def put(change: Any, status: str) -> Any:
        change.status = status
        change.save(update_fields=["status"])
        return change

    return put
