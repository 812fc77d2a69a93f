"""Tasks that RunTask starts: planned when they are asked for, so that their state is a function of the time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from portal.sandbox.ecs import secrets
from portal.sandbox.ecs.seeding import Pulled, resolve

KEPT: Final = 3600.0  # seconds that a stopped task can still be described
_STEPS_AT_WORK: Final = 2
_SLOWER: Final = 5
_EXIT = re.compile(r"\bexit (\d{1,3})\b")
_SLEEP = re.compile(r"\bsleep (\d+(?:\.\d+)?)\b")
_FAILS = re.compile(r"fail|(^|\s)false(\s|$)")
_FOR_EVER: Final = 10.0**10


@dataclass
class Container:
    """One container of a task, with what it was started with; `command` empty means the image's own."""

    name: str
    image: str
    command: list[str]
    essential: bool
    log_group: str = ""
    log_prefix: str = ""
    digest: str = ""
    exit_code: int | None = None
    reason: str = ""


@dataclass
class OneOff:
    """One task; `marks` says from when on which lastStatus holds, also in the future. Times are epoch seconds."""

    id: str
    arn: str
    cluster_arn: str
    definition: str
    family: str
    group: str
    started_by: str
    created: float
    step: float
    containers: list[Container]
    asked: dict[str, Any]
    cpu: str = ""
    memory: str = ""
    subnet: str = ""
    zone: str = ""
    address: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    running_at: float | None = None
    ends_at: float = _FOR_EVER
    stop_code: str = ""
    stopped_reason: str = ""

    def status(self, now: float) -> str:
        """Its lastStatus."""
        found = "PROVISIONING"
        for at, name in self.marks:
            if at <= now:
                found = name
        return found

    def at(self, status: str, now: float) -> float | None:
        """Since when it has, or had, that status; None while it has not had it."""
        return next((at for at, name in self.marks if name == status and at <= now), None)

    def is_wanted(self, now: float) -> bool:
        """Whether its desiredStatus is RUNNING."""
        return now < self.ends_at


def plan(task: OneOff, account: str, region: str, definitions: Sequence[Mapping[str, Any]]) -> None:
    """Write down what becomes of the task: why it cannot start, or when and how it ends."""
    created, step = task.created, task.step
    task.marks = [(created, "PROVISIONING"), (created + step, "PENDING")]
    reason, fault = _fate(task, account, region, definitions)
    if reason:
        task.stop_code, task.stopped_reason = "TaskFailedToStart", reason
        if reason.startswith("Cannot"):
            task.containers[0].reason = reason
        _end(task, created + 2 * step)
        return
    task.running_at = created + 2 * step * (_SLOWER if fault == "slow-start" else 1)
    task.marks.append((task.running_at, "RUNNING"))
    main = next((one for one in task.containers if one.command), None)
    if main is None and fault != "oom":
        return  # the image's own command serves until somebody stops it
    words = " ".join(main.command) if main else ""
    seconds = _SLEEP.search(words)
    for container in task.containers:
        container.exit_code = 0
    worker = main or task.containers[0]
    worker.exit_code = 137 if fault == "oom" else _exit_code(words)
    if fault == "oom":
        worker.reason = "OutOfMemoryError: Container killed due to memory usage"
    task.stop_code, task.stopped_reason = "EssentialContainerExited", "Essential container in task exited"
    _end(task, task.running_at + (float(seconds[1]) if seconds else _STEPS_AT_WORK * step))


def stop(task: OneOff, now: float, reason: str) -> None:
    """StopTask: what has not ended yet ends now."""
    if not task.is_wanted(now):
        return
    ran = task.status(now) == "RUNNING"
    task.marks = [mark for mark in task.marks if mark[0] <= now]
    for container in task.containers:
        container.exit_code, container.reason = (143 if ran else None), ""
    task.stop_code, task.stopped_reason = "UserInitiated", reason or "Task stopped by user"
    _end(task, now)


def _end(task: OneOff, at: float) -> None:
    task.ends_at = at
    task.marks += [(at, "DEPROVISIONING"), (at + task.step, "STOPPED")]


def _exit_code(words: str) -> int:
    given = _EXIT.search(words)
    if given:
        return int(given[1])
    return 1 if _FAILS.search(words) else 0


def _fate(
    task: OneOff, account: str, region: str, definitions: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """Why the task cannot start, in ECS's words, and the fault that its images bring along."""
    missing = secrets.unreadable(account, region, definitions)
    if missing:
        return missing, ""
    fault = ""
    for container in task.containers:
        pulled: Pulled | None = resolve(container.image)
        if pulled is None or pulled.fault == "cannot-pull":
            return _not_pulled(container.image), ""
        container.digest = pulled.digest
        fault = fault or pulled.fault
    return "", fault


def _not_pulled(reference: str) -> str:
    return (
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref"
        f" {reference}: {reference}: not found"
    )
