"""Somebody leaves while their vote is just being used: the start comes first, or the departure does, never half of each."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from environments.changes import actions, breakglass
from environments.changes.lifecycle import Status
from environments.changes.models import Review, Transition, Vote
from environments.models import Environment
from portal.accounts.actions import deactivate_person
from portal.core.errors import GatehouseError
from tests.cast import by
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = 8


def together(jobs):
    """All jobs at once from behind one barrier; their errors."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        try:
            barrier.wait(30)
            job()
        except GatehouseError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [error for error in pool.map(run, jobs) if error]


@pytest.fixture
def places(tenant):
    return [
        Environment.objects.create(
            tenant=tenant, slug=f"production-{n}", name="production", environment_class="production"
        )
        for n in range(PLACES)
    ]


def test_departure_against_starts(fake, places, operator, approver, admin):
    changes = [step(ask_for(place, operator)) for place in places]
    for change in changes:
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    jobs = [lambda change=change: step(change) for change in changes]
    jobs.insert(PLACES // 2, lambda: deactivate_person(by=by(admin), person=approver))
    assert together(jobs) == []
    started = 0
    for change in map(fresh, changes):
        vote = Vote.objects.get(proposal__change=change)
        ran = Transition.objects.filter(change=change, to_status=Status.EXECUTING).exists()
        started += ran
        # A vote that let it start stands as history; one that was taken back started nothing.
        assert ran == (vote.withdrawn_at is None), change.status
        assert change.status == (Status.SUCCEEDED if ran else Status.AWAITING_APPROVAL)
    assert fake.executed == started


def test_departure_against_votes(fake, places, operator, approver, admin):
    """A vote cast in the moment of leaving is either ended with the others or refused: none stands."""
    changes = [step(ask_for(place, operator)) for place in places]

    def vote(change):
        return lambda: actions.approve(by=by(approver), change=change, digest=change.proposal.digest)

    jobs = [vote(change) for change in changes]
    jobs.insert(PLACES // 2, lambda: deactivate_person(by=by(admin), person=approver))
    together(jobs)
    assert Vote.objects.standing().count() == 0
    assert {fresh(change).status for change in changes} == {Status.AWAITING_APPROVAL}
    for change in changes:
        step(change)
    assert fake.executed == 0


def test_departure_against_broken_glass(fake, places, operator, approver, admin):
    changes = [step(ask_for(place, operator)) for place in places]
    half = PLACES // 2
    for change in changes[:half]:
        smash(change, operator)
    jobs = [lambda change=change: step(change) for change in changes[:half]]
    jobs += [lambda change=change: smash(change, operator) for change in changes[half:]]
    jobs.insert(half, lambda: deactivate_person(by=by(admin), person=operator))
    together(jobs)
    for change in map(fresh, changes):
        ran = Transition.objects.filter(change=change, to_status=Status.EXECUTING).exists()
        assert ran == change.break_glass == Review.objects.filter(change=change).exists()
        assert change.status == (Status.SUCCEEDED if ran else Status.AWAITING_APPROVAL)
    assert fake.executed == Review.objects.count()


def smash(change, user):
    key = change.environment.key
    breakglass.break_glass(
        by=by(user), change=change, digest=change.proposal.digest, reason="Down", confirm_name=key
    )


def test_two_reviews_at_once_are_one(fake, places, operator, approver, security, auditor, admin):
    change = step(ask_for(places[0], operator))
    smash(change, operator)
    change = step(change)
    people = (approver, security, auditor, admin)
    errors = together(
        [
            lambda user=user: breakglass.review(by=by(user), change=change, verdict="fine", comment=str(user))
            for user in people
        ]
    )
    assert len(errors) == len(people) - 1
    review = Review.objects.get()
    assert review.comment == str(review.reviewed_by)
