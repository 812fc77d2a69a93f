"""Terraform alive past its worker's lease: nobody takes its lock, its last word counts, its worker's does not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from environments.changes import execution, log, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.runs import actions as run_actions
from environments.runs import housekeeping
from environments.runs.leftovers import aftermath
from environments.runs.models import (
    Leftover,
    ResourceProgress,
    RunCredential,
    StateLock,
    StateVersion,
    TerraformRun,
)
from environments.runs.states import store
from portal.accounts.principals import worker
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from portal.notifications.models import Message
from portal.terraform.state import read_state
from tests.cast import by
from tests.environments.changes.test_races import together
from tests.environments.runs.test_death import each_once_but, fresh, in_the_middle, process_of, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]


def stall(process: subprocess.Popen[bytes], change: Change) -> None:
    """Stop the process between two of its transactions: what it held would stop everybody."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if nobody_writes(change):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def nobody_writes(change: Change) -> bool:
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("PRAGMA busy_timeout = 300")
        try:
            with transaction.atomic():
                Change.objects.select_for_update(nowait=not sqlite).get(pk=change.pk)
        except OperationalError:
            return False
        finally:
            if sqlite:
                cursor.execute("PRAGMA busy_timeout = 20000")
    return True


def versions(change: Change) -> int:
    return StateVersion.objects.filter(change=change).count()


def written_by_the_worker(change: Change) -> dict[str, Any]:
    """All that a worker writes of a run."""
    row = fresh(change)
    return {
        "row": (row.status, row.version, row.fence, row.log_size, row.error_message, row.tool_process),
        "log": log.read(row, after=0).text,
        "transitions": row.transitions.count(),
        "progress": sorted(ResourceProgress.objects.filter(change=row).values_list("address", "state")),
        "run": TerraformRun.objects.filter(change=row)
        .values("progress", "timings", "command", "unreckoned")
        .get(),
        "artefacts": row.artefacts.count(),
        "versions": versions(row),
    }


def test_a_terraform_that_outlives_its_workers_lease_keeps_its_lock_and_has_the_last_word(
    story, engine, tmp_path, admin
):
    story.define(steps=3, seconds=6)
    change = story.work(story.request())
    stalled = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story, done=0)
        until(lambda: story.counted == 3, "all steps begun")
        stall(stalled, change)
        until(lambda: fresh(change).lease_until < timezone.now(), "the end of the lease")
        sweeper.sweep()
        assert fresh(change).status == Status.INTERRUPTED
        # Given up for dead, and its Terraform lives.
        assert store.tool_alive(fresh(change)) is True
        before = versions(change)
        housekeeping.release_dead_locks()
        housekeeping.revoke_left_credentials()
        aftermath.close_all()
        sweeper.sweep()
        with pytest.raises(Conflict, match="still running"):
            run_actions.force_unlock(by=by(admin), environment=story.environment, reason="it looks dead")
        assert StateLock.objects.filter(change=change).exists()
        assert Claim.objects.active().filter(change=change).exists()
        assert RunCredential.objects.filter(change=change, revoked_at=None).exists()
        assert TerraformRun.objects.get(change=change).unreckoned
        with pytest.raises(Conflict, match="not worked out yet"):
            story.request()

        # It ends by itself, delivers its state although its worker is given up, and unlocks.
        until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's own end")
        assert versions(change) > before
        newest = StateVersion.objects.filter(environment=story.environment).newest()
        assert newest is not None
        steps = [one for one in read_state(newest.content).managed if one.name == "step"]
        assert len(steps) == 3
        assert not any(one.tainted for one in steps)
        assert not StateLock.objects.exists()

        # The worker comes back to life: nothing it says is taken.
        said = written_by_the_worker(change)
        stalled.send_signal(signal.SIGCONT)
        stalled.wait(60)
        assert written_by_the_worker(change) == said
    finally:
        stalled.kill()
        stalled.wait()

    # What it may not write any more is found in its folder, to the last line.
    sweeper.sweep()
    assert not Claim.objects.active().filter(change=change).exists()
    text = log.read(fresh(change), after=0, limit=10**6).text
    assert all(f"terraform_data.step[{n}]: Creation complete" in text for n in range(3))
    assert not Leftover.objects.exists(), "the state holds all of it"
    assert not list(engine.WORK_DIR.glob(f"{change.uuid}*"))
    housekeeping.revoke_left_credentials()
    assert not RunCredential.objects.filter(change=change, revoked_at=None).exists()
    assert story.work(story.request()).status == Status.NO_CHANGES
    each_once_but(set(), story, 3)


def test_a_worker_that_died_before_it_could_name_its_terraform_frees_nothing(
    story, engine, tmp_path, monkeypatch
):
    """Between the start of the process and its number in the row lies a moment."""
    story.define(steps=1, seconds=4)
    change = story.work(story.request())
    doomed = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story, done=0)
        named = fresh(change).tool_process
        # As if it had died a moment earlier: the row names the worker and the folder only.
        stall(doomed, change)
        Change.objects.filter(pk=change.pk).update(tool_process={**named, "pid": 2**22, "started": "1"})
        assert store.tool_alive(fresh(change)) is True, "it stands in the folder"
        until(lambda: fresh(change).lease_until < timezone.now(), "the end of the lease")
        sweeper.sweep()
        housekeeping.release_dead_locks()
        assert StateLock.objects.filter(change=change).exists()
        until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's end")
    finally:
        doomed.kill()
        doomed.wait()
    sweeper.sweep()
    assert not Claim.objects.active().exists()
    assert story.counted == 1


def test_a_state_that_could_not_be_delivered_outlives_worker_and_terraform(story, engine, tmp_path):
    """The web process is gone for longer than Terraform tries: its state lies in its folder, its worker is dead."""
    story.define(steps=3, seconds=1)
    change = story.work(story.request())
    doomed = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story, done=0)
        lock = StateLock.objects.get(change=change)
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's end")
    # What the backend took from it is put where Terraform leaves what the backend did not take.
    delivered = StateVersion.objects.filter(change=change).newest()
    assert delivered is not None
    content = delivered.content
    StateVersion.objects.filter(change=change).delete()
    folder = next(engine.WORK_DIR.glob(f"{change.uuid}-apply-*/source"))
    (folder / "errored.tfstate").write_bytes(content)
    StateLock.objects.get_or_create(
        environment=lock.environment,
        defaults={
            "lock_id": lock.lock_id,
            "info": lock.info,
            "change": change,
            "fence": lock.fence,
            "holder": lock.holder,
        },
    )
    # Another worker of this machine, with a folder of its own, looks after the dead.
    engine.WORK_DIR = tmp_path / "elsewhere"
    until(lambda: fresh(change).lease_until < timezone.now(), "the end of the lease")
    sweeper.sweep()
    housekeeping.release_dead_locks()
    newest = StateVersion.objects.filter(environment=story.environment).newest()
    assert newest is not None
    assert newest.content == content
    assert not StateLock.objects.exists()
    assert not folder.exists()
    sweeper.sweep()
    steps = {row.address for row in read_state(content).managed if row.name == "step" and not row.tainted}
    again = story.apply()
    assert again.status in {Status.SUCCEEDED, Status.NO_CHANGES}, again.error_message
    finished = {address.split("[")[1].rstrip("]") for address in steps}
    again_done = {str(n) for n in range(3)} - finished
    assert Counter(story.counter.read_text().split()) == {
        str(n): 2 if str(n) in again_done else 1 for n in range(3)
    }


def test_two_schedulers_at_once_close_one_death_once(story, engine, tmp_path):
    story.define(steps=2, seconds=3)
    change = story.work(story.request())
    doomed = process_of(change, engine, tmp_path)
    try:
        in_the_middle(change, story, done=0)
        os.killpg(fresh(change).tool_process["pid"], signal.SIGKILL)
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    until(lambda: fresh(change).lease_until < timezone.now(), "the end of the lease")
    until(lambda: store.tool_alive(fresh(change)) is False, "Terraform's end")

    def round_of_a_scheduler() -> None:
        sweeper.sweep()
        housekeeping.release_dead_locks()
        aftermath.close_all()
        housekeeping.revoke_left_credentials()
        connection.close()

    for _time in range(2):
        together([round_of_a_scheduler] * 4)
    assert fresh(change).transitions.filter(to_status=Status.INTERRUPTED).count() == 1
    assert AuditEvent.objects.filter(action="change.interrupted").count() == 1
    assert AuditEvent.objects.filter(action="state.unlock", outcome="done").count() == 1
    assert Message.objects.filter(subject__contains="interrupted").count() == 1
    addresses = Leftover.objects.filter(change=change).values_list("address", flat=True)
    assert sorted(addresses) == sorted(set(addresses))
    assert log.read(fresh(change), after=0).text.count("the rest was found on its disk") <= 1
    assert not Claim.objects.active().exists()


def test_the_plans_folder_is_gone_and_another_workers_folder_is_used(story, engine, tmp_path):
    story.define(steps=2)
    change = story.work(story.request())
    assert change.status == Status.APPROVED
    shutil.rmtree(engine.WORK_DIR)
    engine.WORK_DIR = tmp_path / "other-worker"
    assert story.work(change).status == Status.SUCCEEDED
    each_once_but(set(), story, 2)
    assert not (tmp_path / "work").exists()


def test_two_processes_given_the_same_message_apply_it_once(story, engine, tmp_path):
    story.define(steps=2, seconds=1)
    change = story.work(story.request())
    gate = tmp_path / "gate"
    both = [process_of(change, engine, tmp_path, gate=gate) for _number in range(2)]
    until(lambda: len(list(tmp_path.glob("gate-*"))) == 2, "both ready")
    gate.touch()
    for process in both:
        assert process.wait(90) == 0
    assert fresh(change).status == Status.SUCCEEDED, fresh(change).error_message
    each_once_but(set(), story, 2)
    assert fresh(change).transitions.filter(to_status=Status.EXECUTING).count() == 1


def test_a_stale_worker_finds_its_books_closed(story, engine, monkeypatch):
    """The change was taken over while this worker planned: it stores no proposal and no artefact."""
    story.define(steps=1)
    change = story.request()
    stored = execution._store_proposal

    def overtaken(work: Any, draft: Any) -> None:
        Change.objects.filter(pk=work.change.pk).update(fence=work.fence + 1)
        stored(work, draft)

    monkeypatch.setattr(execution, "_store_proposal", overtaken)
    execution.advance(str(change.uuid), by=worker("stale worker"))
    change = fresh(change)
    assert change.status == Status.PROPOSING
    assert not change.proposals.exists()
    assert not change.artefacts.exists()
