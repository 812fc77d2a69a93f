"""The portal's Celery: who works on what, over the embedded broker or the one CELERY_BROKER_URL names."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery, shared_task
from django.conf import settings
from django.db import connection
from kombu import Connection

from portal.celery import QUEUES, app
from portal.scheduler.models import Heartbeat

ROOT = Path(__file__).resolve().parents[3]


def test_changes_have_a_queue_of_their_own_and_nothing_else_gets_into_it() -> None:
    route = app.amqp.router.route
    assert route({}, "changes.advance")["queue"].name == "changes"
    assert route({}, "runs.check_drift")["queue"].name == "housekeeping"
    assert route({}, "notifications.deliver_messages")["queue"].name == "housekeeping"
    ways = {name: (queue.exchange.name, queue.routing_key) for name, queue in app.amqp.queues.items()}
    assert ways == {name: (name, name) for name in QUEUES}, "a shared exchange and key reach both queues"


def test_a_message_for_one_queue_reaches_only_that_one(tmp_path: Path) -> None:
    with Connection(f"portalfs://{tmp_path}/broker") as broker:
        channel = broker.default_channel
        for name in QUEUES:
            app.amqp.queues[name](channel).declare()
        app.send_task("runs.check_drift", args=[1], connection=broker)
        app.send_task("changes.advance", args=["id"], connection=broker)
        ready = tmp_path / "broker" / "ready"
        sizes = {name: len(list((ready / name).glob("*"))) for name in QUEUES}
    assert sizes == {"changes": 1, "deployments": 0, "housekeeping": 1}


def test_tasks_of_the_rooms_belong_to_this_app() -> None:
    @shared_task(name="tests.belongs")
    def belongs() -> None: ...

    assert belongs.app is app or belongs.app.main == "portal"
    app.loader.import_default_modules()
    assert {"changes.advance", "runs.check_drift", "notifications.deliver_messages"} <= set(app.tasks)


def database_url() -> str:
    """The test database as a URL, for a process of its own."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    return os.environ.get("CELERY_BROKER_URL") or f"portalfs://{tmp_path}/broker"


@pytest.fixture
def start(tmp_path: Path, broker_url: str) -> Iterator[Start]:
    """Start a real worker of the portal on the test database."""
    running: list[subprocess.Popen[bytes]] = []

    def one(queue: str) -> "subprocess.Popen[bytes]":
        log = (tmp_path / f"{queue}.log").open("wb")
        environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker_url,
            "GATEHOUSE_DATA_DIR": str(tmp_path / "data"),
            "GATEHOUSE_KEYRING_FILE": str(settings.GATEHOUSE_KEYRING_FILE),
        }
        command = [
            *(sys.executable, "-m", "celery", "-A", "portal.celery", "--skip-checks", "worker"),
            *("-Q", queue, "-c", "1", "-n", f"{queue}-{tmp_path.name}@%h", "-l", "INFO"),
            *("--without-gossip", "--without-mingle"),
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        running.append(process)
        return process

    yield one
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
@pytest.mark.xdist_group("celery")  # one Redis, one queue: another test's worker would take the message
@pytest.mark.django_db(transaction=True)
def test_workers_report_answer_and_say_goodbye(start: Start, broker_url: str) -> None:
    changes, housekeeping = start("changes"), start("housekeeping")
    until(lambda: Heartbeat.objects.fresh("worker", seconds=20).count() == 2)
    rows = {row.detail["queues"][0]: row for row in Heartbeat.objects.all()}
    assert set(rows) == {"changes", "housekeeping"}
    assert rows["changes"].detail["pid"] == changes.pid
    # An app of its own: the portal's, in this process, has the tests' broker in memory.
    asking = Celery("asking", broker=broker_url, set_as_current=False)
    until(lambda: len(asking.control.ping(timeout=2)) == 2)
    asking.close()
    before = rows["changes"].at
    until(lambda: Heartbeat.objects.get(name=rows["changes"].name).at > before)
    changes.terminate()
    assert changes.wait(30) == 0
    assert not Heartbeat.objects.filter(name=rows["changes"].name).exists()
    os.killpg(housekeeping.pid, signal.SIGKILL)
    housekeeping.wait()
    assert Heartbeat.objects.filter(name=rows["housekeeping"].name).exists(), "a killed one says nothing"


@pytest.mark.slow
@pytest.mark.xdist_group("celery")  # one Redis, one queue: another test's worker would take the message
@pytest.mark.django_db(transaction=True)
def test_a_task_sent_to_the_broker_is_run_by_its_worker(start: Start, broker_url: str) -> None:
    from portal.notifications.models import Message
    from portal.notifications.outbox import send

    start("housekeeping")
    send(channel="webhook", address="https://not-allowed.example/", subject="s", text="t", link="")
    with Connection(broker_url) as broker:
        app.send_task("notifications.deliver_messages", connection=broker)
    until(lambda: Message.objects.filter(attempts__gt=0).exists())
