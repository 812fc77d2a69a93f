"""Many at once, on a file database: one transition, one execution, the others refused in clear words."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from environments.changes import actions
from environments.changes.lifecycle import FINAL, Status
from environments.changes.models import Transition
from portal.core.errors import StaleState
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db(transaction=True)


def together(jobs):
    """Run all jobs at once from behind one barrier; their results or errors."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        try:
            barrier.wait()
            return job()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_fifty_clicks_of_approve_and_reject_give_one_decision(fake, production, operator, tenant):
    voters = [member(f"approver{n}", tenant, "approver") for n in range(50)]
    change = step(ask_for(production, operator))
    digest = change.proposal.digest

    def click(n, voter):
        if n % 2:
            return lambda: actions.reject(by=by(voter), change=change, comment="no")
        return lambda: actions.approve(by=by(voter), change=change, digest=digest)

    results = together([click(n, voter) for n, voter in enumerate(voters)])
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(refused) == 49
    assert all(isinstance(error, StaleState) for error in refused), refused
    decided = Transition.objects.filter(change=change, to_status__in=["approved", "rejected"])
    assert decided.count() == 1
    together([lambda: step(change)] * 5)
    after = fresh(change)
    assert after.status in FINAL
    assert fake.executed == (1 if after.status == Status.SUCCEEDED else 0)


def test_the_same_message_to_ten_workers_executes_once(fake, staging, operator):
    change = ask_for(staging, operator)
    together([lambda: step(change)] * 10)
    together([lambda: step(change)] * 10)
    assert fresh(change).status == Status.SUCCEEDED
    assert (fake.proposed, fake.executed) == (1, 1)
