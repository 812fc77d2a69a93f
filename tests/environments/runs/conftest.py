"""A real Terraform against the real state backend, with a blueprint that needs no AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from environments.blueprints import snapshots
from environments.changes import execution
from environments.changes.models import Change
from environments.models import Definition, Environment, Tenant
from environments.runs.actions import request_run
from portal.accounts.models import User
from portal.accounts.principals import worker
from tests.cast import *  # noqa: F403
from tests.cast import by
from tests.environments.runs.scene import exposed, live_account, live_sandbox, scene  # noqa: F401
from tests.environments.runs.secret_scene import secrets, told, vaulted  # noqa: F401
from tests.environments.runs.speaking import Terraform, change_of, run_of

SECRET = "a very secret password 4711"


@pytest.fixture
def engine(live_server: Any, settings: Any, tmp_path: Path) -> Any:
    """Settings under which a worker in this process reaches the state backend of the live server."""
    settings.INTERNAL_URL = live_server.url
    settings.WORK_DIR = tmp_path / "work"
    settings.BLUEPRINT_DIRS = [Path(__file__).parent / "blueprints"]
    settings.HEARTBEAT_SECONDS = 1
    snapshots._seen.clear()
    return settings


def environment_of(tenant: Tenant, kind: str) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug=kind, name=kind, environment_class=kind, blueprint="steps"
    )


@pytest.fixture
def staging(engine: Any, tenant: Tenant) -> Environment:
    return environment_of(tenant, "staging")


@pytest.fixture
def production(engine: Any, tenant: Tenant) -> Environment:
    return environment_of(tenant, "production")


@dataclass
class Story:
    """Acts on one environment the way its people would, with this process as the worker."""

    environment: Environment
    operator: User
    counter: Path

    def define(self, **variables: Any) -> Definition:
        snapshot = snapshots.current_snapshot("steps")
        number = self.environment.definitions.count() + 1
        return Definition.objects.create(
            environment=self.environment,
            number=number,
            blueprint="steps",
            snapshot=snapshot.digest,
            variables={"label": "step", "counter": str(self.counter), **variables},
            sensitive={"password": SECRET},
            author=self.operator,
        )

    def request(self, mode: str = "apply", **options: Any) -> Change:
        return request_run(by=by(self.operator), environment=self.environment, mode=mode, **options)

    def work(self, change: Change) -> Change:
        execution.advance(str(change.uuid), by=worker("test worker"))
        return Change.objects.for_lists().get(pk=change.pk)

    def apply(self, **options: Any) -> Change:
        return self.work(self.work(self.request(**options)))

    @property
    def counted(self) -> int:
        return len(self.counter.read_text().splitlines()) if self.counter.exists() else 0


@pytest.fixture
def story(staging: Environment, operator: User, tmp_path: Path) -> Story:
    return Story(staging, operator, tmp_path / "counter")


@pytest.fixture(autouse=True)
def _close_connections() -> Any:
    yield
    connections.close_all()


@pytest.fixture
def place(tenant: Tenant) -> Environment:
    """Of the quick blueprint, without a portal around it."""
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging", blueprint="steps"
    )


@pytest.fixture
def other(tenant: Tenant) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug="test", name="test", environment_class="staging", blueprint="steps"
    )


@pytest.fixture
def work_dir(settings: Any, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path / "work"


@pytest.fixture
def here(tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


@pytest.fixture
def there(tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="there", name="there", environment_class="staging")


@pytest.fixture
def change(here: Environment, operator: User) -> Change:
    """A run of `here` that somebody asked for."""
    return change_of(here, operator)


@pytest.fixture
def run(change: Change) -> Terraform:
    """Its Terraform, which may write."""
    return run_of(change)
