"""Looking at drift: a real plan of what was applied, a verdict, and what a failed look leaves standing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.runs import housekeeping
from environments.runs.drift import checks, plan
from environments.runs.models import DriftCheck, RunCredential, StateLock, StateVersion
from portal.audit.models import AuditEvent
from tests.environments.runs.conftest import SECRET
from tests.environments.runs.crafted import planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.terraform
@pytest.mark.slow
def test_clean_then_drifted_then_unknown(story, settings):
    story.define()
    assert story.apply().status == Status.SUCCEEDED
    place = story.environment
    DriftCheck.objects.create(environment=place)
    checks.check(place.pk)
    check = DriftCheck.objects.get()
    assert (check.verdict, check.count, check.error) == ("clean", 0, "")
    assert check.taken_at is not None
    assert check.due_at > timezone.now() + timedelta(minutes=30)

    # A newer definition nobody applied is no drift: what counts is what was applied.
    story.define(steps=5)
    checks.check(place.pk)
    assert DriftCheck.objects.get().verdict == "clean"

    # Something is gone behind the portal's back.
    newest = StateVersion.objects.filter(environment=place).newest()
    content = json.loads(newest.content)
    content["resources"] = [one for one in content["resources"] if one["name"] != "holder"]
    content["serial"] += 1
    StateVersion.objects.create(
        environment=place,
        number=newest.number + 1,
        lineage=newest.lineage,
        serial=content["serial"],
        size=1,
        md5="0",
        content=json.dumps(content).encode(),
        written_by="test",
    )
    checks.check(place.pk)
    check = DriftCheck.objects.get()
    assert (check.verdict, check.count) == ("drifted", 1)
    assert [row["address"] for row in check.rows] == ["terraform_data.holder"]
    assert SECRET not in str(check.rows)

    # A look that fails says so beside the old verdict.
    settings.INTERNAL_URL = "http://127.0.0.1:9"
    checks.check(place.pk)
    failed = DriftCheck.objects.get()
    assert (failed.verdict, failed.count, failed.taken_at) == ("drifted", 1, check.taken_at)
    assert failed.error
    assert failed.error_at > check.taken_at
    outcomes = (
        AuditEvent.objects.filter(action="drift.checked").order_by("id").values_list("outcome", flat=True)
    )
    assert list(outcomes) == ["done", "done", "done", "failed"]

    # It alters nothing, locks nothing and leaves nothing.
    assert not StateLock.objects.exists()
    assert not RunCredential.objects.filter(revoked_at=None).exists()
    assert [path.name for path in settings.WORK_DIR.iterdir()] == ["terraform"]
    assert Change.objects.count() == 1


@pytest.fixture
def applied(staging, operator):
    change = planned(staging, operator, [])
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=timezone.now())
    return staging


@pytest.fixture
def looks(monkeypatch):
    """Looks that need no Terraform."""
    found: list[Any] = []

    def differences(run: Any) -> list[Any]:
        return list(found)

    monkeypatch.setattr(plan, "differences", differences)
    return found


def test_what_is_due(applied, production, operator, settings):
    now = timezone.now() + timedelta(seconds=10)
    assert [row.environment for row in checks.due(now)] == [applied]
    # Nothing was ever applied to production: nothing to compare with.
    assert DriftCheck.objects.filter(environment=production).exists()
    check = DriftCheck.objects.filter(environment=applied)
    check.update(due_at=now + timedelta(minutes=1))
    assert checks.due(now) == []
    check.update(due_at=now, lease_until=now + timedelta(minutes=1))
    assert checks.due(now) == []
    check.update(lease_until=now - timedelta(minutes=1))
    assert len(checks.due(now)) == 1
    # Half of an apply is no drift.
    running = planned(applied, operator, [])
    Change.objects.filter(pk=running.pk).update(status="executing")
    assert checks.due(now) == []
    Change.objects.filter(pk=running.pk).update(status="failed")
    applied.retired_at = now
    applied.save()
    assert checks.due(now) == []


def test_what_was_never_applied_does_not_stand_before_the_rest(applied, tenant):
    long_ago = timezone.now() - timedelta(days=9)
    places = Environment.objects.bulk_create(
        Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}", environment_class="staging", blueprint="steps")
        for n in range(40)
    )
    DriftCheck.objects.bulk_create(DriftCheck(environment=place, due_at=long_ago) for place in places)
    DriftCheck.objects.create(environment=applied)
    assert [row.environment for row in checks.due(timezone.now())] == [applied]


def test_a_destroyed_environment_has_nothing_to_drift(applied, operator):
    change = planned(applied, operator, [], mode="destroy")
    later = timezone.now() + timedelta(seconds=1)
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=later)
    assert checks.last_applied(applied) is None
    assert checks.due(timezone.now()) == []


def test_it_is_sent_once_and_again_if_the_message_is_lost(applied, monkeypatch):
    sent: list[Any] = []
    monkeypatch.setattr(housekeeping.current_app, "send_task", lambda name, **how: sent.append((name, how)))
    housekeeping.send_drift_checks()
    housekeeping.send_drift_checks()
    assert sent == [("runs.check_drift", {"args": [applied.pk], "queue": "housekeeping"})]
    DriftCheck.objects.filter(environment=applied).update(due_at=timezone.now())
    housekeeping.send_drift_checks()
    assert len(sent) == 2


def test_the_same_message_twice_looks_once(applied, looks, monkeypatch):
    DriftCheck.objects.create(environment=applied)
    count: list[int] = []

    def differences(run: Any) -> list[Any]:
        count.append(1)
        checks.check(applied.pk)
        return []

    monkeypatch.setattr(plan, "differences", differences)
    checks.check(applied.pk)
    assert len(count) == 1


def test_a_look_that_was_overtaken_says_nothing(applied, monkeypatch):
    DriftCheck.objects.create(environment=applied)

    def differences(run: Any) -> list[Any]:
        DriftCheck.objects.update(fence=99, verdict="clean")
        return [{"address": "x", "action": "update", "attributes": []}]

    monkeypatch.setattr(plan, "differences", differences)
    checks.check(applied.pk)
    assert DriftCheck.objects.get().verdict == "clean"


def test_very_much_drift_is_counted_whole_and_kept_in_part(applied, looks):
    DriftCheck.objects.create(environment=applied)
    looks += [{"address": f"a.n{n}", "action": "update", "attributes": []} for n in range(500)]
    checks.check(applied.pk)
    check = DriftCheck.objects.get()
    assert (check.count, len(check.rows)) == (500, checks.KEPT_ROWS)
