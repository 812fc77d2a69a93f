"""Two workers, many requests: each tenant gets its turn, rollbacks go first, nothing is done twice or forgotten."""

from __future__ import annotations

import queue
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from environments.changes import dispatch, fairness, turns
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim, Transition
from tests.environments.changes.conftest import WORKER, fresh, step
from tests.environments.changes.kinds_of_work import Apply, Deploy, ask, places, registered

pytestmark = pytest.mark.django_db(transaction=True)
DEADLINE = 120


@pytest.fixture
def apply():
    made = Apply()
    with registered(made):
        yield made


@pytest.fixture
def broker(monkeypatch):
    """What the broker does: first in, first out, ids only."""
    messages: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": messages.put(uuid))
    return messages


class Workers:
    """Workers that take messages one by one, as Celery's processes do, until nothing is left to do."""

    def __init__(self, messages, count=2):
        self._messages, self._stop, self.failed = messages, threading.Event(), []
        self._threads = [threading.Thread(target=self._run) for _n in range(count)]

    def _run(self):
        try:
            while not self._stop.is_set():
                try:
                    message = self._messages.get(timeout=0.02)
                except queue.Empty:
                    continue
                turns.work(message, by=WORKER)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failed.append(error)
        finally:
            connection.close()

    def until(self, done):
        for thread in self._threads:
            thread.start()
        end = time.monotonic() + DEADLINE
        try:
            while not done() and not self.failed and time.monotonic() < end:
                time.sleep(0.02)
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(DEADLINE)
        assert self.failed == []
        assert done()


def all_ended(changes):
    ids = [change.pk for change in changes]
    return lambda: Change.objects.filter(pk__in=ids).open().count() == 0


def started(tenant=None):
    """Titles' primary keys in the order in which workers took them for the first time."""
    rows = Transition.objects.filter(to_status=Status.PROPOSING).order_by("pk")
    if tenant is not None:
        rows = rows.filter(change__environment__tenant=tenant)
    return list(rows.values_list("change_id", flat=True))


def test_twenty_environments_at_once_with_two_workers_all_end_in_order(apply, broker, tenant, operator):
    changes = [ask(place, operator) for place in places(tenant, 20)]
    Workers(broker).until(all_ended(changes))
    assert {fresh(change).status for change in changes} == {Status.SUCCEEDED}
    assert (apply.proposed, apply.executed) == (20, 20)
    assert not Claim.objects.active().exists()
    wanted = [change.pk for change in changes]
    assert started() == sorted(wanted)
    ended = list(
        Transition.objects.filter(to_status=Status.SUCCEEDED)
        .order_by("pk")
        .values_list("change_id", flat=True)
    )
    # Two work side by side, and a slow one is overtaken by a few; nobody is left for the end.
    assert all(abs(ended.index(pk) - place) <= 8 for place, pk in enumerate(wanted)), (ended, wanted)


def test_fifty_requests_of_one_tenant_do_not_starve_anothers_one(
    apply, broker, tenant, other_tenant, operator, outsider
):
    many = [ask(place, operator) for place in places(tenant, 50)]
    one = ask(places(other_tenant, 1)[0], outsider)
    Workers(broker).until(all_ended([one]))
    # Its message came last; it was among the first to be taken all the same.
    assert started().index(one.pk) <= 2
    before = Transition.objects.get(change=one, to_status=Status.SUCCEEDED).pk
    ended = Transition.objects.filter(change__in=many, to_status=Status.SUCCEEDED, pk__lt=before)
    assert ended.count() <= 6
    assert len(started(tenant)) <= 12


def test_one_worker_serves_the_tenants_in_turn(apply, broker, tenant, other_tenant, operator, outsider):
    many = [ask(place, operator) for place in places(tenant, 6)]
    few = [ask(place, outsider) for place in places(other_tenant, 3)]
    while not broker.empty():
        turns.work(broker.get(), by=WORKER)
    assert all_ended([*many, *few])()
    # Each of theirs is done by the time that as many of the others are, give or take one.
    ended = list(
        Transition.objects.filter(to_status=Status.SUCCEEDED)
        .order_by("pk")
        .values_list("change_id", flat=True)
    )
    assert max(ended.index(change.pk) for change in few) <= 6


def test_a_rollback_is_taken_before_fifty_plans(apply, broker, tenant, other_tenant, operator, outsider):
    here = places(tenant, 50)
    changes = [ask(place, operator) for place in here]
    # This tenant has one in hand, the other none: theirs would be next were it not for the rollback.
    lease = timezone.now() + timedelta(minutes=1)
    Change.objects.filter(pk=changes[0].pk).update(status=Status.PROPOSING, due_at=None, lease_until=lease)
    ask(places(other_tenant, 1)[0], outsider)
    rollback = ask(here[-1], operator, priority=-10)
    turns.work(broker.get(), by=WORKER)
    assert started() == [rollback.pk]
    turns.work(broker.get(), by=WORKER)
    assert fresh(rollback).status == Status.SUCCEEDED


def test_what_has_to_wait_is_passed_over_not_waited_for(apply, broker, tenant, operator):
    here, there = places(tenant, 2)
    blocked, free = ask(here, operator), ask(there, operator)
    Claim.objects.create(change=step(ask(there, operator)), subject=f"state:{here.key}")
    assert fairness.fairest(named=str(blocked.uuid)) == free


def test_beyond_the_first_few_a_change_is_found_by_its_own_message(
    apply, broker, tenant, operator, monkeypatch
):
    monkeypatch.setattr(fairness, "FIRST", 2)
    (place,) = places(tenant, 1)
    changes = [ask(place, operator) for _n in range(4)]
    assert changes[3] not in fairness.candidates()
    assert changes[3] in fairness.candidates(str(changes[3].uuid))


def test_many_kinds_in_one_environment_do_not_hide_each_other(apply, broker, tenant, operator, monkeypatch):
    monkeypatch.setattr(fairness, "FIRST", 1)
    with registered(Deploy()):
        (place,) = places(tenant, 1)
        first, _second = ask(place, operator), ask(place, operator)
        deployment = ask(place, operator, "deploy", reason="web")
        assert {change.pk for change in fairness.candidates()} == {first.pk, deployment.pk}


def test_a_lost_race_goes_on_to_the_next_instead_of_going_home(apply, broker, tenant, operator, monkeypatch):
    first, second = (ask(place, operator) for place in places(tenant, 2))
    real = turns.fairest

    def robbed(**asked):
        """Between the choice and the claim another worker takes the chosen one."""
        found = real(**asked)
        if found == first:
            lease = timezone.now() + timedelta(minutes=1)
            taken = Change.objects.filter(pk=first.pk, status=Status.REQUESTED)
            taken.update(status=Status.PROPOSING, due_at=None, lease_until=lease, version=first.version + 1)
        return found

    monkeypatch.setattr(turns, "fairest", robbed)
    turns.work(str(first.uuid), by=WORKER)
    # The message named the one that is gone; its worker does the other instead.
    assert (fresh(first).status, fresh(second).status) == (Status.PROPOSING, Status.APPROVED)
    assert apply.proposed == 1


def test_choosing_costs_the_same_for_hundreds(apply, broker, tenant, operator, django_assert_max_num_queries):
    for place in places(tenant, 60):
        ask(place, operator)
    with django_assert_max_num_queries(12):
        assert fairness.fairest() is not None
