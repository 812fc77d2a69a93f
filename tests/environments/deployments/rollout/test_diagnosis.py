"""AWS's own words and the entry of the catalogue that explains them."""

from __future__ import annotations

from typing import Any

import pytest

from environments.deployments.catalogue import EVENTS, STOPS
from environments.deployments.models import StoppedTask
from environments.deployments.rollout import diagnosis

ASM = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
PULL = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref r/app:v9: "
SCALED = "Scaling activity initiated by (deployment ecs-svc/4062)"
ENI = "Timeout waiting for network interface provisioning to complete."

STOPPED: list[tuple[str, dict[str, Any]]] = [
    ("pull-not-found", {"stopped_reason": PULL + "r/app:v9: not found"}),
    (
        "pull-denied",
        {"stopped_reason": PULL + "unexpected status from HEAD request: 403 Forbidden access denied"},
    ),
    ("pull-denied", {"stopped_reason": PULL + "User: arn:x is not authorized to perform: ecr:BatchGetImage"}),
    ("pull-unreachable", {"stopped_reason": PULL + "dial tcp 52.94.1.1:443: i/o timeout"}),
    ("pull-rate-limit", {"stopped_reason": PULL + "toomanyrequests: You have reached your pull rate limit"}),
    (
        "pull-platform",
        {
            "stopped_reason": "CannotPullContainerError: image Manifest does not contain descriptor matching "
            "platform 'linux/amd64'"
        },
    ),
    (
        "pull-disk",
        {"stopped_reason": "CannotPullContainerError: write /x: no space left on device"},
    ),
    (
        "secret-denied",
        {"stopped_reason": ASM + "unable to retrieve secret from asm: AccessDeniedException: not authorized"},
    ),
    (
        "secret-missing",
        {
            "stopped_reason": ASM
            + "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        },
    ),
    ("secret-unreachable", {"stopped_reason": ASM + "context deadline exceeded"}),
    (
        "log-group-missing",
        {
            "stopped_reason": "ResourceInitializationError: failed to validate logger args: create stream has been "
            "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified "
            "log group does not exist."
        },
    ),
    ("pull", {"stopped_reason": "CannotPullContainerError: something new"}),
    ("no-address", {"stopped_reason": "subnet-1 does not have enough free addresses"}),
    ("command-missing", {"stopped_reason": "CannotStartContainerError: exec: no such file or directory"}),
    ("start-failed", {"stop_code": "TaskFailedToStart"}),
    ("no-interface", {"stopped_reason": ENI, "stop_code": "TaskFailedToStart"}),
    ("no-interface", {"stopped_reason": "RESOURCE:ENI"}),
    ("no-capacity", {"stopped_reason": "Capacity is unavailable at this time. Please try again later"}),
    ("definition-inactive", {"stopped_reason": "TaskDefinition is inactive"}),
    ("oom", {"exit": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}),
    ("killed", {"exit": 137, "stopped_reason": "Essential container in task exited"}),
    ("segfault", {"exit": 139}),
    ("sigterm", {"exit": 143}),
    ("platform", {"exit": 1, "log_tail": "exec /app/run: exec format error"}),
    ("port-in-use", {"exit": 1, "log_tail": "OSError: [Errno 98] Address already in use"}),
    ("module-missing", {"exit": 1, "log_tail": "ModuleNotFoundError: No module named 'pgvector'"}),
    ("database", {"exit": 1, "log_tail": "Error: connect ECONNREFUSED 10.0.21.4:5432"}),
    (
        "health-elb",
        {
            "stopped_reason": "Task failed ELB health checks in (target-group arn:x)",
            "stop_code": "ServiceSchedulerInitiated",
            "exit": 137,
        },
    ),
    (
        "health-container",
        {"stopped_reason": "Task failed container health checks", "stop_code": "ServiceSchedulerInitiated"},
    ),
    ("scaling-in", {"stopped_reason": SCALED, "stop_code": "ServiceSchedulerInitiated", "exit": 143}),
    ("spot", {"stop_code": "SpotInterruption", "exit": 137}),
    ("host", {"stop_code": "TerminationNotice"}),
    ("stopped-by-user", {"stop_code": "UserInitiated", "exit": 143}),
    ("exited", {"stop_code": "EssentialContainerExited", "exit": 1}),
    ("exited-zero", {"stopped_reason": "Essential container in task exited", "exit": 0}),
]


@pytest.mark.parametrize(("key", "known"), STOPPED)
def test_a_stop_is_explained(key: str, known: dict[str, Any]) -> None:
    known = dict(known)
    containers = [{"name": "app", "exit_code": known.pop("exit", None), "reason": known.pop("reason", "")}]
    found = diagnosis.explain(StoppedTask(containers=containers, **known))
    assert found is not None
    assert found.key == key
    assert found.normal == (key in {"scaling-in", "stopped-by-user"})


def test_what_nobody_knows_is_explained_by_nobody() -> None:
    assert diagnosis.explain(StoppedTask(containers=[{"name": "app", "exit_code": None}])) is None
    assert diagnosis.explain_event("(service api) has reached a steady state.") is None


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("no-address", "(service a) failed to launch a task with (error InsufficientFreeAddressesInSubnet)."),
        (
            "no-capacity",
            "(service a) was unable to place a task. Reason: Capacity is unavailable at this time.",
        ),
        (
            "no-place",
            "(service a) was unable to place a task because no instance met all of its requirements.",
        ),
        ("role", "(service a) failed to launch a task with (error ECS was unable to assume the role 'x')."),
        (
            "targets-unhealthy",
            "(service a) (port 8000) is unhealthy in (target-group x) due to (reason 502).",
        ),
        ("tasks-keep-failing", "(service a) is unable to consistently start tasks successfully."),
    ],
)
def test_an_event_is_explained(key: str, message: str) -> None:
    found = diagnosis.explain_event(message)
    assert found is not None
    assert found.key == key


def test_each_entry_has_words_and_is_reached() -> None:
    reached = {key for key, _known in STOPPED}
    for entry in (*STOPS, *EVENTS):
        told = entry.diagnosis
        assert all(str(text).strip() for text in (told.title, told.cause, told.remedy)), told.key
        assert diagnosis.named(told.key) is not None
    assert {entry.key for entry in STOPS} == reached
