"""A sandbox whose ECS is quick, for all tests of deployments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from environments.models import Environment, Tenant
from portal.aws.limits import TokenBucket
from portal.sandbox.testing import RunningSandbox, running_sandbox
from tests.cast import *  # noqa: F403
from tests.environments.deployments import crafted
from tests.environments.deployments.building import Clients
from tests.environments.deployments.scene import Scene

# A step of a task takes a tenth of a second, a minute of bake one.
PACE = {"SANDBOX_ECS_PACE": "0.1", "SANDBOX_ECS_MINUTE": "1"}


@pytest.fixture(scope="session")
def ecs_sandbox() -> Iterator[RunningSandbox]:
    with pytest.MonkeyPatch.context() as environment:
        for name, seconds in PACE.items():
            environment.setenv(name, seconds)
        with running_sandbox() as running:
            yield running


@pytest.fixture(scope="session")
def ecs_clients(ecs_sandbox: RunningSandbox) -> Clients:
    return Clients(ecs_sandbox, f"{uuid4().int % 10**12:012d}")


@pytest.fixture
def scene(ecs_clients: Clients, settings: Any, db: None) -> Scene:
    settings.SANDBOX_URL = ecs_clients.sandbox.url
    # The thread that renews leases cannot see a row of a transaction that is never committed.
    settings.HEARTBEAT_SECONDS = 600
    return Scene(ecs_clients)


@pytest.fixture
def production(tenant: Tenant) -> Environment:
    """An environment whose services backend and worker stand in the inventory and nowhere else (crafted.py)."""
    return crafted.production(tenant)


@pytest.fixture(autouse=True)
def _no_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else lives on the sandbox's quotas: a worker that is driven without pauses would wait for them only."""
    monkeypatch.setattr(TokenBucket, "take", lambda bucket: 0.0)


@pytest.fixture(autouse=True)
def _close_connections() -> Any:
    yield
    connections.close_all()
