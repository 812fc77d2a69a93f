"""What a sweep must not do: bury the living, or let one change, or a broker, keep all others waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from environments.changes import dispatch, sweeper
from environments.changes.leases import Lease
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from portal.notifications.models import Message
from portal.scheduler.models import DueRow
from tests.environments.changes.conftest import ask_for, fresh, step
from tests.environments.changes.test_sweeper import PAST, killed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_spared(monkeypatch):
    monkeypatch.setattr(sweeper, "_spared_until", None)


@pytest.fixture
def sweep(monkeypatch):
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": True)
    return sweeper.sweep


def last_round(ago: timedelta) -> None:
    moment = timezone.now() - ago
    DueRow.objects.update_or_create(
        name=sweeper.NAME, defaults={"next_at": moment, "last_finished_at": moment}
    )


def test_after_a_database_that_was_away_the_living_have_time_to_say_so(
    fake, staging, operator, sweep, settings
):
    change = killed(ask_for(staging, operator), fake, "propose")
    last_round(timedelta(seconds=settings.LEASE_SECONDS + 1))
    sweep()
    assert fresh(change).status == Status.PROPOSING
    # Its worker lives: it renews as soon as it reaches the database.
    assert Lease(change).renew()
    last_round(timedelta(seconds=1))
    sweeper._spared_until = timezone.now()
    sweep()
    assert fresh(change).status == Status.PROPOSING


def test_who_is_dead_is_buried_two_heartbeats_after_the_database_is_back(
    fake, staging, operator, sweep, settings
):
    change = killed(ask_for(staging, operator), fake, "propose")
    last_round(timedelta(seconds=settings.LEASE_SECONDS + 1))
    sweep()
    assert sweeper._spared_until is not None
    assert sweeper._spared_until <= timezone.now() + timedelta(seconds=2 * settings.HEARTBEAT_SECONDS)
    last_round(timedelta(seconds=1))
    sweeper._spared_until = timezone.now()
    sweep()
    assert fresh(change).status == Status.REQUESTED


def test_a_pause_that_costs_no_lease_delays_nothing(fake, staging, operator, sweep, settings):
    change = killed(ask_for(staging, operator), fake, "propose")
    last_round(timedelta(seconds=8))
    sweep()
    assert fresh(change).status == Status.REQUESTED


def test_a_worker_that_renews_at_the_last_moment_is_not_buried(fake, staging, operator, sweep, monkeypatch):
    change = killed(step(ask_for(staging, operator)), fake, "execute")
    each = sweeper._each

    def renewed_first(found, act):
        assert Lease(change).renew()
        each(found, act)

    monkeypatch.setattr(sweeper, "_each", renewed_first)
    sweep()
    change = fresh(change)
    assert change.status == Status.EXECUTING
    assert change.lease_until > timezone.now()


def test_a_change_that_cannot_be_swept_keeps_no_other_waiting(fake, staging, operator, sweep):
    broken = killed(ask_for(staging, operator), fake, "propose")
    other = killed(ask_for(staging, operator), fake, "propose")
    Change.objects.filter(pk=broken.pk).update(lease_owner=[])  # no object: reading it fails
    sweep()
    assert fresh(other).status == Status.REQUESTED
    assert fresh(broken).status == Status.PROPOSING


def test_what_kills_whoever_proposes_it_ends_after_three(fake, staging, operator, sweep):
    change = ask_for(staging, operator)
    for _time in range(3):
        change = killed(change, fake, "propose")
        sweep()
    change = fresh(change)
    assert (change.status, change.error_kind) == (Status.FAILED, "portal")
    assert "3 workers died" in change.error_message
    assert Message.objects.filter(subject__contains="failed").exists()


def test_a_cancelled_change_whose_worker_dies_is_not_proposed_again(fake, staging, operator, sweep):
    change = killed(ask_for(staging, operator), fake, "propose")
    Change.objects.filter(pk=change.pk).update(cancel_requested_at=timezone.now())
    fence = change.fence
    sweep()
    change = fresh(change)
    assert change.status == Status.CANCELLED
    assert change.fence == fence + 1, "and its worker, should it live, writes nothing more"


def test_a_broker_that_is_away_costs_one_try_a_round(fake, staging, operator, monkeypatch):
    tries: list[str] = []

    def refused(uuid: str, queue: str = "") -> bool:
        tries.append(uuid)
        return False

    for _number in range(5):
        ask_for(staging, operator)
    Change.objects.update(due_at=timezone.now() - PAST)
    monkeypatch.setattr(dispatch, "send", refused)
    sweeper.sweep()
    assert len(tries) == 1
    assert not connection.needs_rollback
