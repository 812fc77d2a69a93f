"""A lock by hand and a change that starts, at the same moment: one of the two waits, neither fails."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from environments.changes import execution
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import StateLock
from environments.runs.states.actions import request_rollback
from environments.runs.states.lock_actions import lock_state, unlock_state
from portal.accounts.principals import worker
from portal.core.errors import Conflict
from tests.cast import by
from tests.environments.runs.states import keep, thing

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


@pytest.fixture
def here(tenant):
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


def test_one_of_the_two_waits(here, operator, operator2):
    keep(here, thing("a"))
    for number in range(ROUNDS):
        keep(here, thing(f"b{number}"))
        change = request_rollback(by=by(operator), environment=here, number=1, reason="why")
        execution.advance(str(change.uuid), by=worker("w"))
        together, outcomes = threading.Barrier(2, timeout=30), {}

        def lock(together=together, outcomes=outcomes):
            together.wait()
            try:
                lock_state(by=by(operator2), environment=here, reason="why")
                outcomes["locked"] = True
            except Conflict:
                outcomes["locked"] = False
            finally:
                connections.close_all()

        def start(together=together, uuid=str(change.uuid)):
            together.wait()
            try:
                execution.advance(uuid, by=worker("w"))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=act) for act in (lock, start)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        change = Change.objects.get(pk=change.pk)
        assert change.status in ("approved", "succeeded"), (change.status, change.error_message)
        if outcomes["locked"]:
            assert StateLock.objects.filter(environment=here).exists()
            unlock_state(by=by(operator2), environment=here)
        if change.status == "approved":
            assert outcomes["locked"]
            execution.advance(str(change.uuid), by=worker("w"))
        assert Change.objects.get(pk=change.pk).status == "succeeded"
