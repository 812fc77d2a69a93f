"""What is to be thought of a service: each word of state from the last look, and never green for want of one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from environments.deployments.models import ServiceStatus
from environments.deployments.status.verdicts import SHORT_FOR, judge, worst
from tests.environments.deployments import crafted

NOW = timezone.now()


def row(**fields: Any) -> ServiceStatus:
    values: dict[str, Any] = {
        "service": "backend",
        "status": "ACTIVE",
        "desired": 2,
        "running": 2,
        "task_definition_arn": crafted.revision("backend", 3),
        "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
        "taken_at": NOW,
    }
    return ServiceStatus(**{**values, **fields})


def said(status: ServiceStatus | None, **more: Any) -> tuple[str, str]:
    found = judge(status, interval=60, now=NOW, **more)
    return found.state, found.text


@pytest.mark.parametrize(
    ("fields", "state", "text"),
    [
        ({}, "healthy", "Healthy"),
        ({"taken_at": None}, "unknown", "Not looked at yet"),
        ({"taken_at": None, "error": "no"}, "unknown", "Unknown: the look failed"),
        ({"taken_at": NOW - timedelta(seconds=121)}, "unknown", "Unknown since the last look"),
        ({"taken_at": NOW - timedelta(seconds=119), "error": "no"}, "healthy", "Healthy"),
        ({"status": "MISSING"}, "failing", "Gone"),
        ({"status": "DRAINING"}, "failing", "Gone"),
        (
            {"deployments": [{"status": "PRIMARY", "rolloutState": "FAILED"}]},
            "failing",
            "The last rollout failed",
        ),
        ({"running": 1, "short_since": NOW - SHORT_FOR}, "failing", "1 of 2 tasks run"),
        ({"running": 1, "short_since": NOW - timedelta(seconds=20)}, "progress", "1 of 2 tasks run"),
        (
            {"deployments": [{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}]},
            "progress",
            "Rolling out",
        ),
        ({"out_of_band": True}, "attention", "Runs what nobody deployed from here"),
        ({"desired": 0, "running": 0}, "healthy", "Scaled to none"),
    ],
)
def test_each_state(fields: dict[str, Any], state: str, text: str) -> None:
    assert said(row(**fields)) == (state, text)


def test_no_row_is_unknown() -> None:
    assert said(None) == ("unknown", "Not looked at yet")


def test_in_production_nothing_wanted_needs_attention() -> None:
    assert said(row(desired=0, running=0), production=True) == ("attention", "Scaled to none")


@pytest.mark.parametrize(("number", "state"), [(3, "healthy"), (2, "healthy"), (4, "attention")])
def test_a_newer_revision_of_terraform_waits(number: int, state: str) -> None:
    assert said(row(), terraform=crafted.revision("backend", number))[0] == state


def test_another_familys_revision_does_not_wait() -> None:
    assert said(row(), terraform=crafted.revision("other", 9))[0] == "healthy"


def test_the_worst_decides() -> None:
    found = [judge(one, interval=60, now=NOW) for one in (row(), row(status="MISSING"), None)]
    decided = worst(found)
    assert decided is not None
    assert decided.state == "failing"
    assert worst([]) is None
