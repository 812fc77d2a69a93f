"""Who touches different parts runs side by side, who touches the same takes turns; holds on all and on a part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from environments import actions as environment_actions
from environments.changes import claims, dispatch, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Hold
from portal.core.errors import NotAllowed
from tests.cast import by
from tests.environments.changes.conftest import fresh, step
from tests.environments.changes.kinds_of_work import Apply, Deploy, Restore, ask, registered

pytestmark = pytest.mark.django_db


@pytest.fixture
def work():
    made = Apply(), Deploy(), Restore()
    with registered(*made):
        yield made


@pytest.fixture
def sent(monkeypatch):
    ids: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": ids.append(uuid))
    return ids


def test_an_apply_and_a_deployment_run_side_by_side_and_related_ones_wait(work, staging, operator):
    apply, deploy, restore = work
    running = step(ask(staging, operator))
    web, again = step(ask(staging, operator, "deploy", reason="web")), None
    both = step(ask(staging, operator, "restore", reason="web"))
    seen = {}

    def while_applying(task):
        # Another service of the same environment is deployed while the apply holds the state.
        seen["web"] = step(web).status
        seen["restore"] = step(both).status
        seen["restore waits for"] = claims.waiting_for(fresh(both)).change

    apply.on_execute = while_applying
    assert step(running).status == Status.SUCCEEDED
    assert seen == {
        "web": Status.SUCCEEDED,
        "restore": Status.APPROVED,
        "restore waits for": running,
    }
    assert (apply.executed, deploy.executed, restore.executed) == (1, 1, 0)

    def while_restoring(task):
        nonlocal again
        again = step(step(ask(staging, operator, "deploy", reason="web")))
        seen["api"] = step(step(ask(staging, operator, "deploy", reason="api"))).status

    restore.on_execute = while_restoring
    assert step(both).status == Status.SUCCEEDED
    assert again.status == Status.REQUESTED
    assert seen["api"] == Status.SUCCEEDED
    assert step(step(again)).status == Status.SUCCEEDED
    assert not Claim.objects.active().exists()


def test_a_hold_on_a_service_stops_that_service_only(work, staging, operator):
    hold = environment_actions.place_hold(
        by=by(operator), environment=staging, reason="sale today", subject=f"{staging.key}/web"
    )
    web = step(ask(staging, operator, "deploy", reason="web"))
    assert step(web).status == Status.APPROVED
    assert "sale today" in claims.waiting_for(fresh(web)).text
    assert step(step(ask(staging, operator, "deploy", reason="api"))).status == Status.SUCCEEDED
    assert step(step(ask(staging, operator, "apply"))).status == Status.SUCCEEDED
    # What is held does not stand in the way of what touches it too and is not held: nothing here is.
    assert step(step(ask(staging, operator, "restore", reason="web"))).status == Status.APPROVED
    environment_actions.release_hold(by=by(operator), hold=hold)
    assert step(web).status == Status.SUCCEEDED


def test_a_hold_says_why_until_when_and_who_may_lift_it(
    work, staging, operator, approver, viewer, sign_in, api
):
    until = timezone.now() + timedelta(hours=3)
    hold = environment_actions.place_hold(
        by=by(approver), environment=staging, reason="audit visit.", until=until
    )
    change = step(ask(staging, operator))
    text = sign_in(viewer).get(f"/changes/{change.uuid}/").content.decode()
    assert "On hold: audit visit. It may be lifted by" in text
    assert str(approver) in text
    assert "admin, operator" in text
    told = api(viewer).get(f"/api/v1/changes/{change.uuid}/").json()["waiting_for"]
    assert told["until"] is not None
    assert told["change"] is None
    with pytest.raises(NotAllowed):
        environment_actions.release_hold(by=by(viewer), hold=hold)
    environment_actions.release_hold(by=by(approver), hold=hold)
    assert step(change).status == Status.SUCCEEDED


def test_an_expired_hold_lets_go_by_itself_at_once(
    work, staging, operator, sent, settings, django_capture_on_commit_callbacks
):
    settings.RESEND_SECONDS = 3600
    until = timezone.now() + timedelta(seconds=40)
    hold = Hold.objects.create(environment=staging, reason="x", until=until, placed_by=operator)
    change = step(step(ask(staging, operator)))
    assert change.status == Status.APPROVED
    # Due when the hold ends, not a resend's time later.
    assert change.due_at == until
    past = timezone.now() - timedelta(seconds=1)
    Hold.objects.filter(pk=hold.pk).update(until=past)
    Change.objects.filter(pk=change.pk).update(due_at=past)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()
    assert sent == [str(change.uuid)]
    assert step(change).status == Status.SUCCEEDED


def test_the_queue_costs_the_same_however_many_wait(work, staging, operator, django_assert_num_queries):
    changes = [step(ask(staging, operator)) for _n in range(3)]
    with CaptureQueriesContext(connection) as few:
        assert claims.waiting_for(fresh(changes[-1])).place == 2
    changes += [step(ask(staging, operator)) for _n in range(9)]
    with django_assert_num_queries(len(few)):
        assert claims.waiting_for(fresh(changes[-1])).place == 11
