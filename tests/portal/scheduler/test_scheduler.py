"""The scheduler runs what is due, once, whatever dies and however many schedulers there are."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import InterfaceError, connection

from portal.core.clock import now
from portal.scheduler import heartbeats, leadership, registry
from portal.scheduler.housekeeping import forget_heartbeats
from portal.scheduler.models import DueRow, Heartbeat, Leader
from portal.scheduler.process import Scheduler

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, registry.Periodic]]:
    mine: dict[str, registry.Periodic] = {}
    monkeypatch.setattr(registry, "_registered", mine)
    yield mine


def leading() -> Scheduler:
    scheduler = Scheduler()
    scheduler.leading = True
    return scheduler


@pytest.mark.django_db
def test_what_is_due_runs_and_what_is_not_waits(functions: dict[str, registry.Periodic]) -> None:
    ran: list[str] = []
    registry.periodic("often", seconds=3)(lambda: ran.append("often"))
    registry.periodic("rarely", seconds=3600)(lambda: ran.append("rarely"))
    scheduler = leading()
    scheduler.run_due()
    assert sorted(ran) == ["often", "rarely"], "both are due when first seen"
    scheduler.run_due()
    assert len(ran) == 2
    DueRow.objects.filter(name="often").update(next_at=now() - timedelta(seconds=1))
    scheduler.run_due()
    assert ran.count("often") == 2 and ran.count("rarely") == 1
    row = DueRow.objects.get(name="rarely")
    assert row.last_error == "" and row.last_duration is not None
    assert 3590 < (row.next_at - now()).total_seconds() <= 3600


@pytest.mark.django_db
def test_a_failing_function_is_noted_and_stops_no_other(functions: dict[str, registry.Periodic]) -> None:
    ran: list[str] = []

    def bad() -> None:
        raise RuntimeError("no route to host")

    registry.periodic("a.bad", seconds=3)(bad)
    registry.periodic("b.good", seconds=3)(lambda: ran.append("good"))
    leading().run_due()
    assert ran == ["good"]
    assert DueRow.objects.get(name="a.bad").last_error == "RuntimeError: no route to host"


@pytest.mark.django_db
def test_due_times_survive_a_restart(functions: dict[str, registry.Periodic]) -> None:
    ran: list[int] = []
    registry.periodic("daily", seconds=86400)(lambda: ran.append(1))
    leading().run_due()
    leading().run_due()
    assert len(ran) == 1


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_that_both_think_they_lead_run_each_occurrence_once(
    functions: dict[str, registry.Periodic],
) -> None:
    ran: list[str] = []
    for number in range(5):
        registry.periodic(f"job{number}", seconds=3600)(lambda n=number: ran.append(f"job{n}"))  # type: ignore[misc]
    DueRow.objects.bulk_create([DueRow(name=f"job{n}", next_at=now()) for n in range(5)])
    barrier = threading.Barrier(4)

    def one() -> None:
        barrier.wait()
        leading().run_due()
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == [f"job{number}" for number in range(5)]


@pytest.mark.django_db
def test_one_leads_and_the_other_takes_over_when_the_lease_runs_out() -> None:
    assert leadership.lead("a")
    assert not leadership.lead("b")
    assert leadership.lead("a"), "the leader renews"
    Leader.objects.update(until=now() - timedelta(seconds=1))
    assert leadership.lead("b")
    assert not leadership.lead("a")
    leadership.resign("a")
    assert not leadership.lead("a"), "only the leader can resign"
    leadership.resign("b")
    assert leadership.lead("a")


@pytest.mark.django_db
def test_a_leader_that_was_killed_is_followed_at_once_on_its_machine() -> None:
    program = (
        "import sys, time; sys.path.insert(0, '.');"
        "from portal.terraform.identity import identify; import os, json;"
        "print(json.dumps(identify(os.getpid()).as_dict()), flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert other.stdout is not None
        told = json.loads(other.stdout.readline())
        owner = json.dumps(["token", *told.values()])
        Leader.objects.create(pk=1, owner=owner, until=now() + timedelta(seconds=60))
        mine = leadership.new_owner()
        assert not leadership.lead(mine), "it lives"
    finally:
        other.kill()
        other.wait()
    assert leadership.lead(mine)
    elsewhere = json.dumps(["token", "another-machine", *list(told.values())[1:]])
    Leader.objects.update(owner=elsewhere, until=now() + timedelta(seconds=60))
    assert not leadership.lead(mine), "what runs on another machine cannot be told from here"


@pytest.mark.django_db(transaction=True)
def test_a_stop_lets_the_running_function_finish(functions: dict[str, registry.Periodic]) -> None:
    scheduler, began, finished = Scheduler(), threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        time.sleep(0.5)
        finished.set()

    registry.periodic("slow", seconds=60)(slow)

    def run() -> None:
        scheduler.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(15)
    assert Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER, detail__leading=True).exists()
    scheduler.stop()
    thread.join(15)
    assert not thread.is_alive()
    assert finished.is_set()
    assert not Heartbeat.objects.exists(), "a stopped scheduler no longer counts"
    assert leadership.lead("next"), "and another may lead at once"


@pytest.mark.django_db
def test_a_stuck_function_costs_the_leadership(
    functions: dict[str, registry.Periodic], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler()
    scheduler._beat_once()
    assert scheduler.leading
    scheduler._running["stuck"] = time.monotonic() - 3600
    scheduler._beat_once()
    assert not scheduler.leading
    Leader.objects.update(until=now() - timedelta(seconds=1))
    assert leadership.lead("spare")


@pytest.mark.django_db
def test_old_heartbeats_are_forgotten() -> None:
    heartbeats.beat(Heartbeat.Kind.WORKER, {"queues": ["changes"]})
    Heartbeat.objects.create(name="gone:1", kind="worker", at=now() - timedelta(days=2))
    forget_heartbeats()
    assert [row.name for row in Heartbeat.objects.all()] == [heartbeats.process_name()]


def test_two_functions_cannot_share_a_name(functions: dict[str, registry.Periodic]) -> None:
    registry.periodic("same", seconds=1)(lambda: None)
    with pytest.raises(ValueError, match="same"):
        registry.periodic("same", seconds=1)(lambda: None)


@pytest.mark.django_db(transaction=True)
def test_what_is_urgent_does_not_wait_for_a_slow_function(functions: dict[str, registry.Periodic]) -> None:
    scheduler, release, noticed = Scheduler(), threading.Event(), threading.Event()
    slow = threading.Event()

    def mail_server_that_does_not_answer() -> None:
        slow.set()
        release.wait(30)

    registry.periodic("mail", seconds=60)(mail_server_that_does_not_answer)
    registry.periodic("sweep", seconds=0.2, urgent=True)(lambda: noticed.set() if slow.is_set() else None)

    def run() -> None:
        scheduler.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert slow.wait(15)
        assert noticed.wait(15), "the sweep came while the mail server kept the other thread"
    finally:
        release.set()
        scheduler.stop()
        thread.join(15)
    assert not thread.is_alive()


@pytest.mark.django_db
def test_a_connection_that_broke_does_not_end_the_pulse(
    functions: dict[str, registry.Periodic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg says InterfaceError for it, which is no DatabaseError."""
    scheduler, beats = Scheduler(), []

    def broken() -> None:
        beats.append(scheduler.leading)
        if len(beats) == 3:
            scheduler.stop()
        raise InterfaceError("connection already closed")

    scheduler.leading = True
    monkeypatch.setattr(scheduler, "_beat_once", broken)
    monkeypatch.setattr("portal.scheduler.process.TICK_SECONDS", 0.01)
    scheduler._pulse()
    assert beats == [True, False, False], "it tries again, and leads no more meanwhile"
