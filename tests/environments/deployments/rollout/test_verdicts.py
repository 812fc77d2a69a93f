"""How a rollout stands, from what ECS says: with its record, and in a region that keeps none."""

from __future__ import annotations

from typing import Any

import pytest

from environments.deployments.models import Deployment, DeploymentPart
from environments.deployments.rollout import verdicts

OLD, NEW, THEIRS = (f"arn:aws:ecs:x:1:task-definition/api:{number}" for number in (1, 2, 3))


@pytest.fixture
def part() -> DeploymentPart:
    return DeploymentPart(
        deployment=Deployment(act="deploy"),
        registered_arn=NEW,
        previous_arn=OLD,
        previous_deployment_id="before",
        ecs_deployment_id="ours",
    )


def row(
    id: str, status: str, definition: str, state: str | None = "COMPLETED", **counts: Any
) -> dict[str, Any]:
    return {"id": id, "status": status, "taskDefinition": definition, "rolloutState": state, **counts}


def service(*rows: dict[str, Any], runs: str = NEW, status: str = "ACTIVE") -> dict[str, Any]:
    return {"status": status, "taskDefinition": runs, "deployments": list(rows)}


ONES = {"desiredCount": 1, "runningCount": 1, "pendingCount": 0}


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("moving", service(row("ours", "PRIMARY", NEW, "IN_PROGRESS"), row("before", "ACTIVE", OLD))),
        ("completed", service(row("ours", "PRIMARY", NEW))),
        ("failed", service(row("ours", "PRIMARY", NEW, "FAILED"), row("before", "ACTIVE", OLD))),
        # ECS goes back: not over while it does.
        (
            "moving",
            service(
                row("back", "PRIMARY", OLD, "IN_PROGRESS"), row("ours", "ACTIVE", NEW, "FAILED"), runs=OLD
            ),
        ),
        ("rolled_back", service(row("back", "PRIMARY", OLD), row("ours", "ACTIVE", NEW, "FAILED"), runs=OLD)),
        # Somebody else deployed, a third revision or the old one again.
        (
            "stopped",
            service(row("x", "PRIMARY", THEIRS), row("ours", "ACTIVE", NEW, "IN_PROGRESS"), runs=THEIRS),
        ),
        ("stopped", service(row("x", "PRIMARY", OLD), row("ours", "ACTIVE", NEW, "IN_PROGRESS"), runs=OLD)),
        ("stopped", service(row("x", "PRIMARY", THEIRS), runs=THEIRS)),
        # Not there yet; and what ran already makes no deployment at all.
        ("moving", service(row("before", "PRIMARY", OLD), runs=OLD)),
        ("completed", service(row("before", "PRIMARY", NEW))),
        # Behind a Classic Load Balancer there is no rolloutState: the counts decide.
        ("moving", service(row("ours", "PRIMARY", NEW, None, **ONES), row("before", "ACTIVE", OLD, None))),
        ("completed", service(row("ours", "PRIMARY", NEW, None, **ONES))),
        ("failed", service(status="DRAINING")),
        ("failed", {"status": "MISSING"}),
    ],
)
def test_by_the_service_alone(part: DeploymentPart, state: str, found: dict[str, Any]) -> None:
    assert verdicts.of_service(part, found).state == state


@pytest.mark.parametrize(
    ("state", "record", "found"),
    [
        ("moving", {"status": "PENDING"}, {}),
        ("moving", {"status": "IN_PROGRESS"}, {}),
        ("moving", {"status": "ROLLBACK_IN_PROGRESS"}, {}),
        ("moving", {"status": "STOP_REQUESTED"}, {}),
        ("completed", {"status": "SUCCESSFUL"}, {}),
        ("rolled_back", {"status": "ROLLBACK_SUCCESSFUL"}, {}),
        ("failed", {"status": "ROLLBACK_FAILED"}, {}),
        ("stopped", {"status": "STOPPED"}, service(row("x", "PRIMARY", THEIRS))),
        ("failed", {"status": "STOPPED"}, service(row("ours", "PRIMARY", NEW, "FAILED"))),
        (
            "failed",
            {"status": "STOPPED", "deploymentCircuitBreaker": {"status": "TRIGGERED"}},
            service(row("x", "PRIMARY", OLD)),
        ),
        (
            "failed",
            {"status": "STOPPED", "alarms": {"status": "TRIGGERED"}},
            service(row("x", "PRIMARY", OLD)),
        ),
    ],
)
def test_by_the_record(
    part: DeploymentPart, state: str, record: dict[str, Any], found: dict[str, Any]
) -> None:
    assert verdicts.of_record(part, record, found).state == state


def test_a_pause_hook_is_said(part: DeploymentPart) -> None:
    hook = {"hookId": "h", "status": "AWAITING_ACTION"}
    record = {"status": "IN_PROGRESS", "lifecycleStage": "POST_SCALE_UP", "lifecycleHookDetails": [hook]}
    assert "POST_SCALE_UP" in verdicts.of_record(part, record, {}).reason


@pytest.mark.parametrize(
    ("failed", "running", "desired", "breaker", "hopeless"),
    [
        (2, 0, 2, False, False),
        (3, 0, 2, False, True),
        (3, 0, 2, True, False),
        (3, 2, 2, False, False),
        (9, 3, 20, False, False),
        (10, 3, 20, False, True),
    ],
)
def test_where_no_breaker_watches_we_do(
    part: DeploymentPart, failed: int, running: int, desired: int, breaker: bool, hopeless: bool
) -> None:
    new = {"failed": failed, "running": running, "desired": desired}
    assert bool(verdicts.hopeless(part, {"new": new, "breaker": {"enabled": breaker}})) == hopeless
