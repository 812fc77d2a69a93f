"""How long it may take: from what was usual here, less what the running one has done; unknown is said to be unknown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from environments.changes import estimates
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim, Transition
from environments.models import Environment
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db


def ran(environment, user, seconds, *, status=Status.SUCCEEDED, verified=True):
    """A change that held its claims so many seconds, some time ago."""
    begun = timezone.now() - timedelta(days=1)
    change = Change.objects.create(
        environment=environment,
        kind="fake",
        title="earlier",
        status=status,
        requested_by=user,
        requested_by_name="x",
        started_at=begun,
    )
    Transition.objects.create(change=change, to_status="executing", at=begun, by="x")
    end = begun + timedelta(seconds=seconds)
    Transition.objects.create(change=change, to_status="verifying" if verified else status, at=end, by="x")
    return change


def executing(environment, user, *, since):
    change = step(ask_for(environment, user))
    Claim.objects.create(change=change, subject=f"fake:{environment.key}")
    started = timezone.now() - timedelta(seconds=since)
    Change.objects.filter(pk=change.pk).update(status=Status.EXECUTING, started_at=started, due_at=None)
    return fresh(change)


def waiting(api, user, change):
    return api(user).get(f"/api/v1/changes/{change.uuid}/").json()["waiting_for"]


@pytest.fixture
def queue(fake, staging, operator):
    """One executes for 100 s already, two wait behind it."""
    second, third = step(ask_for(staging, operator)), step(ask_for(staging, operator))
    first = executing(staging, operator, since=100)
    return first, second, third


def test_the_median_less_what_is_done_plus_those_between(queue, staging, operator, viewer, api, sign_in):
    first, second, third = queue
    for seconds in (10, 400, 5000):
        ran(staging, operator, seconds)
    told = waiting(api, viewer, second)
    assert (told["change"], told["place"]) == (str(first.uuid), 1)
    assert 290 <= told["estimate_seconds"] <= 300
    assert told["estimate"] == "Its turn probably comes in about 5 min."
    told = waiting(api, viewer, third)
    assert told["place"] == 2
    assert 690 <= told["estimate_seconds"] <= 700
    text = sign_in(viewer).get(f"/changes/{third.uuid}/").content.decode()
    assert "Place 2 in the queue." in text
    assert "Its turn probably comes in about 12 min." in text


def test_nothing_of_the_kind_has_run_so_it_is_not_known(queue, staging, production, operator, viewer, api):
    # Neither another environment's runs nor one that failed halfway say how long this takes.
    ran(production, operator, 60)
    ran(staging, operator, 3, status=Status.FAILED, verified=False)
    told = waiting(api, viewer, queue[1])
    assert told["estimate_seconds"] is None
    assert "not known" in told["estimate"]


def test_longer_than_usual_is_not_known_rather_than_zero(queue, staging, operator, viewer, api):
    ran(staging, operator, 50)
    told = waiting(api, viewer, queue[1])
    assert told["estimate_seconds"] is None
    assert "has taken longer already" in told["estimate"]


def test_only_the_newest_executions_count(fake, staging, operator):
    for seconds in (9000, *([60] * estimates.SAMPLE)):
        ran(staging, operator, seconds)
    assert estimates.usual([(staging.pk, "fake")]) == {(staging.pk, "fake"): 60}
    assert estimates._durations((staging.pk, "fake")) == [60] * estimates.SAMPLE


def test_lists_say_the_place(queue, staging, viewer, sign_in):
    client = sign_in(viewer)
    for url in ("/changes/", f"/environments/{staging.tenant.slug}/{staging.slug}/changes/"):
        text = client.get(url).content.decode()
        assert "place 1, behind “Do it”" in text
        assert "place 2, behind “Do it”" in text


def test_lists_ask_the_database_as_often_for_one_waiting_as_for_many(
    fake, tenant, operator, viewer, sign_in, django_assert_num_queries
):
    def scene(slug, count):
        place = Environment.objects.create(tenant=tenant, slug=slug, name=slug, environment_class="staging")
        [step(ask_for(place, operator)) for _n in range(count)]
        executing(place, operator, since=1)

    client = sign_in(viewer)
    scene("a", 2)
    client.get("/changes/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/changes/")
    scene("b", 12)
    with django_assert_num_queries(len(few)):
        client.get("/changes/")


def test_who_waits_for_a_worker_sees_that(fake, staging, production, operator, viewer, api):
    asked = ask_for(staging, operator)
    assert waiting(api, viewer, asked) is None
    earlier = timezone.now() - timedelta(seconds=20)
    other = ask_for(production, operator)
    Change.objects.filter(pk=other.pk).update(created_at=earlier)
    Change.objects.filter(pk=asked.pk).update(created_at=earlier)
    told = waiting(api, viewer, other)
    assert (told["place"], told["change"], told["estimate_seconds"]) == (2, None, None)
    assert told["text"] == "Waits for a worker; none works on anything now."
    assert "not known" in told["estimate"]
    Change.objects.filter(pk=asked.pk).update(
        status=Status.PROPOSING, lease_until=timezone.now() + timedelta(minutes=1)
    )
    told = waiting(api, viewer, other)
    assert told["text"] == "Waits for a free worker; 1 other change is being worked on."
    assert told["place"] == 1
