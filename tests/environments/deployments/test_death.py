"""A worker process of the deployments queue is killed in the middle of a rollout; another one sees it through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from environments.changes import dispatch
from environments.changes.models import Change
from environments.deployments.models import DeploymentPart
from environments.models import Tenant
from portal.accounts.models import User
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Place, Scene, fresh, told
from tests.environments.deployments.test_outcomes import approved, running
from tests.processes import Fleet, addresses_of_the_test

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PATIENCE = 90


def until(true: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what()}"
        time.sleep(0.05)


@pytest.fixture
def fleet(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    database, broker = addresses_of_the_test()
    made = Fleet(
        tmp_path / "portal",
        DATABASE_URL=database,
        CELERY_BROKER_URL=broker or f"portalfs://{tmp_path / 'broker'}",
        GATEHOUSE_KEYRING_FILE=str(django_settings.GATEHOUSE_KEYRING_FILE),
        GATEHOUSE_SANDBOX_URL=scene.client.sandbox.url,
        GATEHOUSE_LEASE_SECONDS="4",
        GATEHOUSE_HEARTBEAT_SECONDS="1",
        GATEHOUSE_SWEEP_SECONDS="1",
        GATEHOUSE_RESEND_SECONDS="2",
    )
    # The broker of the processes is not this process's: what it sends is lost, and the sweeper sends it again.
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": True)
    yield made
    made.stop()


def made_by_ecs(place: Place) -> set[str]:
    answer = place.client("ecs").list_service_deployments(
        cluster=place.built.cluster_arn, service=place.services["api"].name
    )
    return {row["serviceDeploymentArn"] for row in answer["serviceDeployments"]}


def test_kill_9_midway_another_worker_goes_on_with_the_one_deployment(
    scene: Scene, tenant: Tenant, operator: User, approver: User, fleet: Fleet
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    before = made_by_ecs(place)
    change = approved(scene, deploy(place, operator, "slow-start"), approver)
    part = DeploymentPart.objects.filter(deployment__change=change)
    scene.pace(seconds=0.3)
    try:
        fleet.add_scheduler("scheduler")
        fleet.add_worker("worker-1", queue="deployments", concurrency=1)
        until(lambda: part.exclude(intended_at=None).exists(), lambda: state(change, fleet))
        fleet.kill("worker-1")
        assert fresh(change).status == "executing"
        fleet.add_worker("worker-2", queue="deployments", concurrency=1)
        until(lambda: fresh(change).is_final, lambda: state(change, fleet))
    finally:
        scene.pace(seconds=0.1)
    assert fresh(change).status == "succeeded", told(fresh(change))
    assert running(place, "api") == {"slow-start"}
    assert len(made_by_ecs(place) - before) == 1


def state(change: Change, fleet: Fleet) -> str:
    tails = "\n".join(f"== {name}\n{fleet.tail(name, 1500)}" for name in fleet.children)
    return f"{fresh(change).status} {told(fresh(change))}\n{tails}"
