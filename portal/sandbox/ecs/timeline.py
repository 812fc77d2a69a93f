"""A task's life as a function of time: planned when it starts, cut short when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.sandbox.ecs.state import Task

KEPT = 3600.0  # seconds that a stopped task can still be described
_BEFORE = ("PROVISIONING", "PENDING", "ACTIVATING")
_SLOWER = 5
_SEVERAL = 2  # steps after which a load balancer gives a target up


@dataclass(frozen=True)
class Fate:
    """What will become of a task: its kind, why (for those that cannot start), and what it runs."""

    kind: str = "fine"
    reason: str = ""
    images: list[tuple[str, str, str]] = field(default_factory=list)
    health_check: bool = False
    never_starts: bool = False


def plan(task: Task, fate: Fate) -> None:
    """Write down when the task reaches what, from its `created` and `step`."""
    start = task.created
    step = task.step * (_SLOWER if fate.kind == "slow-start" else 1)
    task.checked = bool(task.groups) or fate.health_check
    task.marks = [(start, "PROVISIONING"), (start + step, "PENDING")]
    if fate.never_starts:
        task.dies_at = start + 2 * step
        task.death = {
            "code": "TaskFailedToStart",
            "reason": fate.reason,
            "container": fate.reason,
            "exit": None,
        }
        return
    if task.groups:
        task.marks.append((start + 2 * step, "ACTIVATING"))
    task.running_at = start + 3 * step
    task.marks.append((task.running_at, "RUNNING"))
    if fate.kind in {"oom", "never-healthy"}:
        doom(task, fate.kind, task.running_at)
    else:
        task.healthy_at = task.running_at + (step if task.checked else 0)


def doom(task: Task, kind: str, since: float) -> None:
    """Let a task end by itself some steps after `since`: out of memory, or never answering its health check."""
    if kind == "oom":
        task.dies_at = since + task.step
        reason = "OutOfMemoryError: Container killed due to memory usage"
        task.death = {
            "code": "EssentialContainerExited",
            "reason": "Essential container in task exited",
            "container": reason,
            "exit": 137,
        }
    elif task.checked:
        task.unhealthy_at = since + task.step
        task.dies_at = since + _SEVERAL * task.step
        where = f"ELB health checks in ({_group_words(task)})" if task.groups else "container health checks"
        task.death = {"code": "ServiceSchedulerInitiated", "reason": f"Task failed {where}", "exit": 143}
    elif task.healthy_at is None:
        task.healthy_at = since  # nobody looks


def _group_words(task: Task) -> str:
    return "target-group " + task.groups[0][0]


def status_at(task: Task, now: float) -> str:
    """The task's lastStatus."""
    status = task.marks[0][1]
    for at, name in task.marks:
        if at > now:
            break
        status = name
    return status


def is_pending(task: Task, now: float) -> bool:
    """Whether it is still starting."""
    return status_at(task, now) in _BEFORE


def is_running(task: Task, now: float) -> bool:
    """Whether ECS counts it as running."""
    return status_at(task, now) == "RUNNING"


def is_wanted(task: Task) -> bool:
    """Whether it is not on its way out (desiredStatus RUNNING)."""
    return task.stopping_at is None


def is_healthy(task: Task, now: float) -> bool:
    """Whether it runs and passes its checks, or has none."""
    good = task.healthy_at is not None and task.healthy_at <= now
    bad = task.unhealthy_at is not None and task.unhealthy_at <= now
    return is_wanted(task) and is_running(task, now) and good and not bad


def stopped_at(task: Task) -> float | None:
    """When it is, or will be, STOPPED; None while nobody has stopped it."""
    at, name = task.marks[-1]
    return at if name == "STOPPED" else None


def end(
    task: Task, at: float, *, code: str, reason: str, container: str = "", exit_code: int | None = None
) -> None:
    """Begin the task's end at that time."""
    status = status_at(task, at)
    task.marks = [mark for mark in task.marks if mark[0] <= at and mark[1] != "STOPPED"]
    task.stopping_at, task.dies_at = at, None
    task.stop_code, task.stopped_reason, task.container_reason = code, reason, container
    ran = status in {"ACTIVATING", "RUNNING"}
    task.exit_code = exit_code if ran else None
    after = at
    if ran and exit_code != 137:
        task.marks.append((after, "DEACTIVATING"))
        after += task.step if task.groups else 0
        task.drained_at = after
        task.marks.append((after, "STOPPING"))
        after += task.step
    else:
        task.drained_at = at
    task.marks += [(after, "DEPROVISIONING"), (after + task.step, "STOPPED")]


def changes(task: Task) -> list[float]:
    """Every time at which something about the task becomes different."""
    times = [at for at, _ in task.marks]
    others = (task.running_at, task.healthy_at, task.unhealthy_at, task.dies_at, task.drained_at)
    return times + [at for at in others if at is not None]


def target_state(task: Task, now: float) -> tuple[str, str, str] | None:
    """State, reason and description of its target in a load balancer; None while it is not registered."""
    if status_at(task, now) in {"PROVISIONING", "PENDING"}:
        return None
    if task.stopping_at is not None and task.stopping_at <= now:
        if task.drained_at is not None and now < task.drained_at:
            return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
        return None
    if task.unhealthy_at is not None and task.unhealthy_at <= now:
        if int(task.id[0], 16) % 2:
            return "unhealthy", "Target.Timeout", "Request timed out"
        return "unhealthy", "Target.FailedHealthChecks", "Health checks failed with these codes: [503]"
    if task.healthy_at is not None and task.healthy_at <= now:
        return "healthy", "", ""
    return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"


def health_at(task: Task, now: float) -> str:
    """The task's healthStatus, as its containers' own health checks see it."""
    if task.unhealthy_at is not None and task.unhealthy_at <= now:
        return "UNHEALTHY"
    return "HEALTHY" if task.healthy_at is not None and task.healthy_at <= now else "UNKNOWN"
