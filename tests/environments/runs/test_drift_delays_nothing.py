"""Looks at drift have a queue and a worker of their own and take no lock: an apply never waits for one."""

from __future__ import annotations

import threading
import time

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connection, transaction
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.drift import checks, plan
from environments.runs.models import DriftCheck, StateLock
from portal.celery import app
from portal.launcher import server
from tests.environments.changes.conftest import FakeKind, ask_for
from tests.environments.changes.kinds_of_work import registered

pytestmark = pytest.mark.django_db(transaction=True)
DEADLINE = 40


def until(done):
    end = time.monotonic() + DEADLINE
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    assert done()


class Look(threading.Thread):
    """A look at drift that stands still in the middle until it is let go."""

    def __init__(self, monkeypatch, environment, where):
        super().__init__()
        self.environment, self.reached, self.go = environment, threading.Event(), threading.Event()
        real = getattr(plan, where)

        def held(*arguments, **options):
            answer = real(*arguments, **options)
            self.reached.set()
            assert self.go.wait(DEADLINE)
            return answer

        monkeypatch.setattr(plan, where, held)

    def run(self):
        try:
            checks.check(self.environment.pk)
        finally:
            connection.close()

    def __enter__(self):
        self.start()
        assert self.reached.wait(DEADLINE)
        return self

    def __exit__(self, *_error):
        self.go.set()
        self.join(DEADLINE)


def test_looks_wait_in_a_queue_that_the_worker_of_changes_never_reads(tenant, operator, monkeypatch):
    """A hundred looks stand before the request, and nobody works on them."""
    place = Environment.objects.create(tenant=tenant, slug="s", name="s", environment_class="staging")
    looked: list[int] = []
    monkeypatch.setattr(checks, "check", looked.append)
    kind = FakeKind()
    with registered(kind):
        for number in range(100):
            app.send_task("runs.check_drift", args=[number], queue="housekeeping")
        with transaction.atomic():
            change = ask_for(place, operator)
        with start_worker(app, queues=["changes"], pool="solo", perform_ping_check=False):
            until(lambda: Change.objects.get(pk=change.pk).status == Status.SUCCEEDED)
        assert looked == []
        assert kind.executed == 1


def test_the_launcher_starts_a_worker_for_each_queue(monkeypatch):
    started: dict[str, list[str]] = {}
    one = server._Server.__new__(server._Server)
    monkeypatch.setattr(one, "environ", {}, raising=False)
    monkeypatch.setattr(
        one, "_start", lambda name, command, *rest: started.__setitem__(name, command), raising=False
    )
    one._start_worker("changes", "2")
    one._start_worker("housekeeping", "1")
    queues = {name: command[command.index("-Q") + 1] for name, command in started.items()}
    assert queues == {"worker-changes": "changes", "worker-housekeeping": "housekeeping"}


@pytest.mark.terraform
@pytest.mark.slow
def test_an_apply_passes_a_look_at_its_own_environment(story, monkeypatch):
    """The look's Terraform has the state before it and the apply's writes it: neither waits, nor is the look believed."""
    story.define(steps=1)
    assert story.apply().status == Status.SUCCEEDED
    DriftCheck.objects.create(environment=story.environment, verdict="clean", taken_at=timezone.now())
    story.define(steps=2)
    with Look(monkeypatch, story.environment, "_run"):
        assert not StateLock.objects.exists()
        assert DriftCheck.objects.get().lease_until > timezone.now()
        assert story.apply().status == Status.SUCCEEDED
        assert story.counted == 2
    check = DriftCheck.objects.get()
    assert (check.verdict, check.error, check.lease_until) == ("clean", "", None)
    # What it saw is from before and after the apply: it is looked at again soon.
    assert check.due_at < timezone.now() + checks.AGAIN
