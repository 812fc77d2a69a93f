"""Cancel and kill while Terraform prepares, plans, applies and writes its state; what was and was not done is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from environments.changes import actions
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.changes.work import Work
from environments.runs import commands, housekeeping
from environments.runs.models import RunCredential, StateLock, StateVersion
from environments.runs.states import store
from portal.accounts.models import User
from portal.terraform.identity import alive
from portal.terraform.installation import find_terraform
from tests.cast import by
from tests.environments.runs.test_death import PATIENCE, fresh, until, work_apart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]

# Stands before Terraform like a slow disk: says which command it is at, and waits while that is held.
GATE = """#!/bin/sh
touch "{folder}/at-$1"
while [ -e "{folder}/hold-$1" ]; do sleep 0.05; done
exec "{terraform}" "$@"
"""


@dataclass
class Gate:
    """A Terraform whose commands can be held at their beginning."""

    folder: Path

    def hold(self, command: str) -> None:
        (self.folder / f"at-{command}").unlink(missing_ok=True)
        (self.folder / f"hold-{command}").touch()

    def at(self, command: str) -> bool:
        return (self.folder / f"at-{command}").exists()


@pytest.fixture
def gate(engine: Any, tmp_path: Path) -> Iterator[Gate]:
    folder = tmp_path / "gate"
    folder.mkdir()
    path = folder / "terraform"
    path.write_text(GATE.format(folder=folder, terraform=find_terraform(None)[0]))
    path.chmod(0o755)
    engine.TERRAFORM_BINARY = str(path)
    yield Gate(folder)
    for held in folder.glob("hold-*"):
        held.unlink()


def stop(change: Change, how: str, operator: User, admin: User, engine: Any) -> None:
    actions.cancel(by=by(operator), change=fresh(change), reason="wrong one")
    if how == "kill":
        engine.KILL_COOL_OFF_SECONDS = 0
        actions.kill(by=by(admin), change=fresh(change), reason="it hangs")


def joined(thread: threading.Thread, change: Change) -> Change:
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return fresh(change)


def nothing_left(change: Change) -> None:
    """No lock, claim, credential or folder of it is left, and nothing was altered."""
    housekeeping.release_dead_locks()
    assert not StateLock.objects.exists()
    assert not Claim.objects.active().exists()
    assert not RunCredential.objects.filter(revoked_at=None).exists()
    assert store.tool_alive(change) is False
    assert not change.leftovers.exists()


@pytest.mark.parametrize("how", ("cancel", "kill"))
@pytest.mark.parametrize("command", ("init", "plan"))
def test_while_it_proposes_nothing_was_altered(story, gate, engine, operator, admin, settings, command, how):
    story.define(steps=1)
    gate.hold(command)
    change = story.request()
    thread = work_apart(change)
    until(lambda: gate.at(command), command)
    assert fresh(change).status == Status.PROPOSING
    stop(change, how, operator, admin, engine)
    change = joined(thread, change)
    assert change.status == Status.CANCELLED, change.error_message
    word = {"cancel": "stopped", "kill": "killed"}[how]
    assert change.transitions.last().note == f"Terraform was {word} during {command}; nothing was altered."
    assert not change.proposals.exists()
    nothing_left(change)
    assert list(settings.WORK_DIR.glob(f"{change.uuid}*")) == []
    assert story.counted == 0


@pytest.mark.parametrize("how", ("cancel", "kill"))
def test_while_it_prepares_the_apply_nothing_was_altered(story, gate, engine, operator, admin, how):
    story.define(steps=1)
    change = story.work(story.request())
    gate.hold("init")
    thread = work_apart(change)
    until(lambda: gate.at("init"), "init")
    assert fresh(change).status == Status.EXECUTING
    stop(change, how, operator, admin, engine)
    change = joined(thread, change)
    assert change.status == Status.CANCELLED, change.error_message
    assert change.transitions.last().note.endswith("during init; nothing was altered.")
    assert not change.terraform_run.unreckoned
    nothing_left(change)
    assert story.counted == 0


def test_cancelled_between_two_commands_the_next_does_not_begin(story, gate, engine, operator, monkeypatch):
    from environments.runs import applying

    story.define(steps=1)
    change = story.work(story.request())
    real = applying.initialise

    def initialise(*arguments: Any) -> None:
        real(*arguments)
        actions.cancel(by=by(operator), change=fresh(change))

    monkeypatch.setattr(applying, "initialise", initialise)
    change = story.work(change)
    assert change.status == Status.CANCELLED
    assert change.transitions.last().note.startswith("Stopped before Terraform's apply; nothing was altered.")
    assert not gate.at("apply")
    nothing_left(change)


def test_a_terraform_that_could_not_be_written_down_is_not_let_run(story, gate, engine, monkeypatch):
    """Else nobody could find it again: neither to stop it nor to prove its death."""
    started = []
    real_start, real_set = commands.start, Work.set

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(real_start(*arguments, **options))
        return started[-1]

    def set_fields(work: Work, **fields: Any) -> None:
        if started and fields.get("tool_process", {}).get("pid") == started[-1].pid:
            until(lambda: gate.at("init"), "init")
            raise RuntimeError("it cannot be written down")
        real_set(work, **fields)

    monkeypatch.setattr(commands, "start", start)
    monkeypatch.setattr(Work, "set", set_fields)
    story.define(steps=1)
    gate.hold("init")
    change = story.work(story.request())
    assert (change.status, change.error_kind) == (Status.FAILED, "portal")
    assert [alive(process.identity) for process in started] == [False]


@dataclass
class HeldWrite:
    """A state backend that takes a write and does not answer: what comes after it is up to the test."""

    at: threading.Event
    go: threading.Event
    lose: bool = False


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldWrite]:
    held, real = HeldWrite(threading.Event(), threading.Event()), store.write

    def write(*arguments: Any, **options: Any) -> StateVersion:
        held.at.set()
        assert held.go.wait(PATIENCE)
        if held.lose:
            connections.close_all()
            raise OSError("the machine is gone")
        return real(*arguments, **options)

    monkeypatch.setattr(store, "write", write)
    yield held
    held.go.set()


def test_cancelled_while_it_writes_its_state_all_is_done_and_saved(story, engine, operator, write):
    story.define(steps=2)
    change = story.work(story.request())
    thread = work_apart(change)
    assert write.at.wait(PATIENCE)
    actions.cancel(by=by(operator), change=fresh(change))
    write.go.set()
    change = joined(thread, change)
    assert change.status in (Status.CANCELLED, Status.SUCCEEDED), change.error_message
    note = change.transitions.last().note
    if change.status == Status.CANCELLED:
        assert "Done: 3, failed: 0, stopped midway: 0, not begun: 0." in note
    else:
        assert "Cancelling came too late: everything had been applied." in note
    assert StateVersion.objects.filter(change=change).newest().resource_count == 3
    nothing_left(change)


def test_killed_while_it_writes_its_state_all_it_made_is_left(story, engine, operator, admin, write):
    story.define(steps=2)
    change = story.work(story.request())
    write.lose = True
    thread = work_apart(change)
    assert write.at.wait(PATIENCE)
    stop(change, "kill", operator, admin, engine)
    change = joined(thread, change)
    write.go.set()
    assert change.status == Status.CANCELLED, change.error_message
    note = change.transitions.last().note
    assert "Terraform was killed while applying; what it had not saved yet is not in the state." in note
    assert "Done: 3, failed: 0, stopped midway: 0, not begun: 0." in note
    left = set(change.leftovers.values_list("address", flat=True))
    assert left == {"terraform_data.holder", "terraform_data.step[0]", "terraform_data.step[1]"}
    assert not change.leftovers.filter(resource_id="").exists()
    housekeeping.release_dead_locks()
    assert not StateLock.objects.exists()
    assert story.counted == 2
