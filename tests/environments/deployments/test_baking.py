"""What the bake knows and does not know: unknown is never taken for quiet, and alarms are asked for seldom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from environments.changes.kinds import Later
from environments.deployments.declarations import Declaration
from environments.deployments.models import Deployment, DeploymentPart
from environments.deployments.proving import baking
from environments.deployments.proving.observing import Wrong
from portal.aws import alarms
from portal.aws.alarms import AlarmState
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

AWS = AccountAccess("aws", "123456789012", "arn:aws:iam::123456789012:role/portal", "", "ap-northeast-2")
pytestmark = pytest.mark.django_db


class Bake:
    """A deployment in its bake, with CloudWatch answering `found` or raising `error`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: dict[str, AlarmState] = {}
        self.error: AwsError | None = None
        self.asked = 0
        self.deployment = Deployment(bake_until=timezone.now() + timedelta(hours=1), verification={})
        self.part = DeploymentPart(deployment=self.deployment, service="api", intended_at=timezone.now())
        declared = Declaration("api", "arn", alarms=("errors", "slow"))
        monkeypatch.setattr(baking, "declared", lambda *asked: declared)
        monkeypatch.setattr(baking, "standing", lambda *asked: "")
        monkeypatch.setattr(alarms, "states", self.states)

    def states(self, *asked: Any) -> dict[str, AlarmState]:
        self.asked += 1
        if self.error:
            raise self.error
        return self.found

    def look(self) -> None:
        work: Any = SimpleNamespace(change=SimpleNamespace(environment=None, started_at=None), fenced=owned)
        baking.look(work, self.deployment, [self.part], AWS)

    def end(self) -> None:
        self.deployment.bake_until = timezone.now()


@contextmanager
def owned() -> Iterator[None]:
    yield


@pytest.fixture
def bake(monkeypatch: pytest.MonkeyPatch) -> Bake:
    return Bake(monkeypatch)


def shown(bake: Bake) -> dict[str, str]:
    return {row["name"]: row["state"] for row in bake.part.progress["alarms"]}


def test_alarms_are_asked_for_seldom_however_often_somebody_looks(bake: Bake) -> None:
    for _look in range(5):
        with pytest.raises(Later):
            bake.look()
    assert bake.asked == 1
    bake.end()
    bake.look()
    assert bake.asked == 2, "the last look is a fresh one"


def test_no_data_and_no_such_alarm_are_shown_as_what_they_are(bake: Bake) -> None:
    bake.found = {"errors": AlarmState("errors", "INSUFFICIENT_DATA", "", None)}
    bake.end()
    bake.look()
    assert shown(bake) == {"errors": "INSUFFICIENT_DATA", "slow": "MISSING"}


def test_an_alarm_that_fires_anew_counts_though_it_fired_before(bake: Bake) -> None:
    before = timezone.now() - timedelta(minutes=5)
    bake.found = {"errors": AlarmState("errors", "ALARM", "5xx", before)}
    with pytest.raises(Later):
        bake.look()
    bake.found = {"errors": AlarmState("errors", "ALARM", "5xx", timezone.now() + timedelta(seconds=1))}
    bake.end()
    with pytest.raises(Wrong, match="errors") as wrong:
        bake.look()
    assert wrong.value.back
    bake.found = {"errors": AlarmState("errors", "ALARM", "5xx", None)}
    with pytest.raises(Wrong):
        bake.look()


def test_alarms_that_cannot_be_read_are_not_quiet(bake: Bake) -> None:
    bake.error = AwsError("DescribeAlarms: denied", code="AccessDenied", permanent=True)
    bake.end()
    for _look in range(2):
        with pytest.raises(Later):
            bake.look()
    assert shown(bake) == {"errors": "UNKNOWN", "slow": "UNKNOWN"}
    long_ago = timezone.now() - baking.BLIND - timedelta(seconds=1)
    bake.deployment.verification["blind_since"] = long_ago.isoformat()
    with pytest.raises(Wrong, match="could not be read") as wrong:
        bake.look()
    # Nobody knows that it is bad either: it is left running, and said so.
    assert not wrong.value.back


def test_a_bake_that_sees_again_goes_on(bake: Bake) -> None:
    bake.error = AwsError("DescribeAlarms: slow down", code="Throttling", permanent=False)
    bake.end()
    with pytest.raises(Later):
        bake.look()
    bake.error = None
    bake.look()
    assert "blind_since" not in bake.deployment.verification
