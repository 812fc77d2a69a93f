"""/readyz is 200 only when everything a change needs is there, and says what is not."""

from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.test import Client
from pytest_django import Settings

from portal import health
from portal.core.clock import now
from portal.scheduler.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    settings.STATIC_ROOT = tmp_path
    monkeypatch.setattr(health, "_last_probe", None)
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"portalfs://{tmp_path}/broker")
    return tmp_path / "broker"


def worker(*queues: str, version: str = "1.11.4", age: float = 0, pid: int = 1) -> Heartbeat:
    return Heartbeat.objects.create(
        name=f"host:{pid}",
        kind=Heartbeat.Kind.WORKER,
        at=now() - timedelta(seconds=age),
        detail={"queues": list(queues), "terraform_version": version, "host": "secret-host"},
    )


def scheduler(*, leading: bool = True, age: float = 0) -> Heartbeat:
    return Heartbeat.objects.create(
        name="host:99",
        kind=Heartbeat.Kind.SCHEDULER,
        at=now() - timedelta(seconds=age),
        detail={"leading": leading},
    )


def test_all_well_is_200_with_the_terraform_version(client: Client, own_broker: Path) -> None:
    worker("changes", "deployments", pid=1)
    worker("housekeeping", pid=2)
    scheduler()
    answer = client.get("/readyz")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["status"] == "ok"
    assert body["checks"]["worker"]["terraform_version"] == "1.11.4"
    assert set(body["checks"]) == {"database", "broker", "scheduler", "worker"}
    assert body["checks"]["broker"]["kind"] == "filesystem"
    assert "secret-host" not in answer.content.decode()
    assert own_broker.is_dir(), "the probe really wrote to the broker"


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda: Heartbeat.objects.filter(name="host:1").update(at=now() - timedelta(seconds=60)), "worker"),
        (lambda: Heartbeat.objects.filter(name="host:2").delete(), "worker"),
        (lambda: Heartbeat.objects.filter(name="host:99").delete(), "scheduler"),
        (lambda: Heartbeat.objects.filter(name="host:99").update(detail={"leading": False}), "scheduler"),
    ],
)
def test_a_missing_part_is_503_and_named(client: Client, spoil, part: str) -> None:  # type: ignore[no-untyped-def]
    worker("changes", "deployments", pid=1)
    worker("housekeeping", pid=2)
    scheduler()
    spoil()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    bad = [name for name, check in answer.json()["checks"].items() if not check["ok"]]
    assert bad == [part]
    assert answer.json()["checks"][part]["message"]


def test_a_worker_without_terraform_is_not_ready(client: Client) -> None:
    worker("changes", "deployments", version="", pid=1)
    worker("housekeeping", pid=2)
    scheduler()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Terraform" in answer.json()["checks"]["worker"]["message"]


def test_a_broker_that_cannot_be_written_to_is_503_without_its_address(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"portalfs://{tmp_path}/file/broker")
    worker("changes", "housekeeping")
    scheduler()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"]["ok"] is False
    assert str(tmp_path) not in answer.content.decode()


def test_the_probe_is_not_repeated_for_every_caller(client: Client, own_broker: Path) -> None:
    client.get("/readyz")
    (own_broker / "ready").rename(own_broker / "moved")
    client.get("/readyz")
    assert not (own_broker / "ready").exists()


def test_healthz_needs_nothing(client: Client, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_only_reading_is_answered(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
