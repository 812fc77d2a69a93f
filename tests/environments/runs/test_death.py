"""A worker killed in the middle of a real apply, and one that is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from environments.changes import actions, execution, log, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Resource
from environments.runs import housekeeping
from environments.runs.models import Leftover, ResourceProgress, RunCredential, StateLock, StateVersion
from environments.runs.states import store
from portal.accounts.principals import worker
from portal.terraform.state import read_state
from tests.cast import by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60

WORKER = """
    import os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django
    django.setup()
    from environments.changes import execution
    from portal.accounts.principals import worker
    if gate := os.environ.get("GATE"):
        import pathlib, time
        pathlib.Path(f"{gate}-{os.getpid()}").touch()
        while not pathlib.Path(gate).exists():
            time.sleep(0.001)
    execution.advance(sys.argv[1], by=worker("doomed worker"))
"""


def until(true: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for: {what}"
        time.sleep(0.1)


def fresh(change: Change) -> Change:
    return Change.objects.for_lists().get(pk=change.pk)


def process_of(
    change: Change, engine: Any, tmp_path: Path, *, gate: Path | None = None
) -> subprocess.Popen[bytes]:
    """A worker of its own on the test's database, that can be killed for real.

    With a `gate` it says GATE-PID when it is ready and begins when the gate is there.
    """
    if connection.vendor != "sqlite":
        name = settings.DATABASES["default"]["NAME"]
        url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    else:
        url = f"sqlite:///{connection.settings_dict['NAME']}"
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "GATEHOUSE_INTERNAL_URL": engine.INTERNAL_URL,
        "GATEHOUSE_WORK_DIR": str(engine.WORK_DIR),
        "GATEHOUSE_LEASE_SECONDS": "2",
        "GATEHOUSE_HEARTBEAT_SECONDS": "1",
        "CELERY_BROKER_URL": "memory://",
        "GATE": str(gate or ""),
    }
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), str(change.uuid)], cwd=ROOT, env=env
    )


def in_the_middle(change: Change, story: Any, *, done: int = 1) -> None:
    """Some steps are done, some are not."""
    rows = ResourceProgress.objects.filter(change=change, type="terraform_data")
    until(lambda: story.counted >= 1 and rows.exists(), "the first step")
    until(lambda: rows.filter(state="done", address__contains="step").count() >= done, "steps that are done")
    assert fresh(change).status == Status.EXECUTING


def tainted(environment: Any) -> set[str]:
    """Numbers of the steps that Terraform was at when it was stopped: it marks them, to make them anew."""
    newest = StateVersion.objects.filter(environment=environment).newest()
    found = next(
        (one for one in json.loads(newest.content)["resources"] if one["name"] == "step"), {"instances": []}
    )
    return {str(one["index_key"]) for one in found["instances"] if one.get("status") == "tainted"}


def each_once_but(again: set[str], story: Any, steps: int) -> None:
    """Every step ran once, and those that were interrupted once more."""
    expected = {str(n): 2 if str(n) in again else 1 for n in range(steps)}
    assert Counter(story.counter.read_text().split()) == expected
    assert len(again) < steps


def test_kill_9_of_a_worker_in_the_middle_of_an_apply(story, engine, tmp_path):
    story.define(steps=24, seconds=2)
    change = story.work(story.request())
    assert change.status == Status.APPROVED, change.error_message
    doomed = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story)
        assert StateLock.objects.filter(environment=story.environment).exists()
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()

    # Terraform is told by its guard: it finishes what it is at, saves its state, gives the lock back.
    until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's end")
    until(lambda: not StateLock.objects.exists(), "the lock given back")
    newest = StateVersion.objects.filter(environment=story.environment).newest()
    assert newest is not None
    saved = {row.address for row in read_state(newest.content).resources if row.type == "terraform_data"}
    steps = story.counted
    assert 0 < steps < 24
    assert len([address for address in saved if ".step[" in address]) == steps

    midway = tainted(story.environment)

    # The sweeper finds the lease run out: interrupted, never executed again by itself.
    until(lambda: fresh(change).lease_until < timezone.now(), "the end of the lease")
    sweeper.sweep()
    housekeeping.release_dead_locks()
    change = fresh(change)
    assert (change.status, change.error_kind) == (Status.INTERRUPTED, "portal")
    assert "state write was version" in change.error_message
    sweeper.sweep()
    # Its last state holds all that it made; what it said after its worker's death was found on the disk.
    assert not Leftover.objects.exists()
    assert "Interrupt received" in log.read(change, after=0).text
    assert not list(engine.WORK_DIR.glob(f"{change.uuid}*"))
    assert not Claim.objects.active().exists()
    housekeeping.revoke_left_credentials()
    assert not RunCredential.objects.filter(change=change, revoked_at=None).exists()
    assert story.work(change).status == Status.INTERRUPTED
    assert story.counted == steps
    assert "step[0]" in log.read(change, after=0).text

    # The next run starts with a refresh and does only the rest.
    again = story.apply()
    assert again.status == Status.SUCCEEDED, again.error_message
    each_once_but(midway, story, 24)
    assert Resource.objects.filter(environment=story.environment, name="step").count() == 24


def test_kill_9_of_worker_and_terraform_leaves_a_lock_that_is_released_on_proof(story, engine, tmp_path):
    story.define(steps=2, seconds=3)
    change = story.work(story.request())
    doomed = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story, done=0)
        tool = fresh(change).tool_process
        os.killpg(tool["pid"], signal.SIGKILL)
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's end")
    # While the change is open its lock is not touched, dead or not: its worker may just be slow.
    housekeeping.release_dead_locks()
    assert StateLock.objects.filter(change=change).exists()
    Change.objects.filter(pk=change.pk).update(lease_until=timezone.now() - timedelta(seconds=5))
    sweeper.sweep()
    assert fresh(change).status == Status.INTERRUPTED
    # Nothing had reached the state: what was done and what was at it are left, to be decided about.
    left = dict(Leftover.objects.filter(change=change).values_list("address", "resource_id"))
    assert set(left) == {"terraform_data.holder", "terraform_data.step[0]", "terraform_data.step[1]"}
    assert left["terraform_data.holder"]
    housekeeping.release_dead_locks()
    assert not StateLock.objects.exists()
    assert not RunCredential.objects.filter(change=change, revoked_at=None).exists()
    sweeper.sweep()
    assert not Claim.objects.active().exists()


def work_apart(change: Change) -> threading.Thread:
    """This process as the worker, in a thread, so that the test can act meanwhile."""

    def run() -> None:
        try:
            execution.advance(str(change.uuid), by=worker("test worker"))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_cancel_in_the_middle_saves_the_state_and_says_what_was_done(story, engine):
    story.define(steps=24, seconds=2)
    change = story.work(story.request())
    thread = work_apart(change)
    try:
        in_the_middle(change, story)
        actions.cancel(by=by(story.operator), change=fresh(change), reason="wrong one")
    finally:
        thread.join(PATIENCE)
    assert not thread.is_alive()
    change = fresh(change)
    assert change.status == Status.CANCELLED, change.error_message
    assert 0 < story.counted < 24
    note = change.transitions.last().note
    assert "Done:" in note
    assert "not begun:" in note
    assert not StateLock.objects.exists()
    assert not Claim.objects.active().exists()
    assert not RunCredential.objects.filter(revoked_at=None).exists()
    # What is there now is the inventory.
    there = Resource.objects.filter(environment=story.environment, name="step").count()
    assert there == story.counted
    midway = tainted(story.environment)
    assert story.apply().status == Status.SUCCEEDED
    each_once_but(midway, story, 24)


def test_kill_after_a_cancel_that_does_not_help(story, engine, admin):
    story.define(steps=1, seconds=60)
    engine.KILL_COOL_OFF_SECONDS = 0
    change = story.work(story.request())
    thread = work_apart(change)
    try:
        in_the_middle(change, story, done=0)
        actions.cancel(by=by(story.operator), change=fresh(change))
        actions.kill(by=by(admin), change=fresh(change), reason="stuck for good")
    finally:
        thread.join(PATIENCE)
    assert not thread.is_alive()
    change = fresh(change)
    assert change.status == Status.CANCELLED
    assert "was killed" in change.transitions.last().note
    housekeeping.release_dead_locks()
    assert not StateLock.objects.exists()
    assert story.counted == 1
