"""Starting and stopping a deployment's tasks, and how many of each a rolling update allows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from portal.sandbox.ecs import timeline
from portal.sandbox.ecs.state import Deployment, ServiceState, Task
from portal.sandbox.ecs.world import World

MOST_NAMED = 10  # tasks in one event


@dataclass(frozen=True)
class Counts:
    """Tasks that are not on their way out."""

    live: int
    healthy: int


def decide(desired: int, minimum: int, maximum: int, new: Counts, old: Counts) -> tuple[int, int]:
    """How many new tasks to start and how many old ones to stop now, by the percentages of the service."""
    least, most = math.ceil(desired * minimum / 100), math.floor(desired * maximum / 100)
    missing = max(0, desired - new.live)
    start = min(missing, max(0, most - new.live - old.live))
    sick = old.live - old.healthy
    spare = max(0, new.healthy + old.healthy - least)
    # While there is room for new ones beside them, old ones stay until new ones have taken their place.
    replaced = old.live if start < missing else max(0, old.live - max(0, desired - new.healthy))
    stop = min(old.live, min(spare, max(0, replaced - sick)) + min(sick, replaced))
    return start, stop


def of(state: ServiceState, deployment: Deployment) -> list[Task]:
    """The deployment's tasks that are not on their way out, oldest first."""
    return [
        task for task in state.tasks.values() if task.deployment == deployment.id and timeline.is_wanted(task)
    ]


def counts(tasks: Iterable[Task], now: float) -> Counts:
    """How many there are, and how many of them are healthy."""
    listed = list(tasks)
    return Counts(len(listed), sum(timeline.is_healthy(task, now) for task in listed))


def start(state: ServiceState, deployment: Deployment, number: int, now: float, world: World) -> None:
    """Start that many tasks, unless the deployment has to wait after failures or there are no addresses."""
    if number <= 0 or now < deployment.not_before:
        return
    revision = state.revisions[deployment.revision]
    fate = world.fate(state, revision, first=deployment.instant)
    deployment.fault = fate.kind
    instant = deployment.instant and fate.kind == "fine" and now == deployment.created
    begun: list[Task] = []
    for _ in range(number):
        subnets = deployment.settings.get("subnets") or []
        place = world.place(state, subnets)
        if place is None:
            _starve(state, deployment, subnets, now, world)
            break
        task = Task(
            id=state.name_of_next("task"),
            deployment=deployment.id,
            revision=deployment.revision,
            definition=deployment.definition,
            created=now,
            step=0.0 if instant else world.pace.step,
            images=list(fate.images),
            marks=[],
            subnet=place.subnet,
            address=place.address,
            zone=place.zone,
            groups=list(deployment.groups),
        )
        timeline.plan(task, fate)
        task.step = world.pace.step
        state.tasks[task.id] = task
        begun.append(task)
    if begun:
        deployment.starved, deployment.updated, state.steady = False, now, False
        revision.images = revision.images or ([] if fate.never_starts else list(fate.images))
        state.say(now, f"has started {len(begun)} tasks: {_named(begun)}.")


def _starve(
    state: ServiceState, deployment: Deployment, subnets: list[str], now: float, world: World
) -> None:
    if not deployment.starved:
        named = ", ".join(subnets)
        state.say(
            now,
            "was unable to place a task. Reason: RESOURCE:ENI. The specified subnet does not have enough free"
            f" addresses to satisfy the request. Subnets: {named}",
        )
        deployment.starved = True
    deployment.failed += 1
    deployment.not_before = now + max(world.pace.step, 0.01) * 4


def stop(state: ServiceState, tasks: list[Task], now: float, reason: str) -> None:
    """Let the scheduler stop these tasks."""
    if not tasks:
        return
    for task in tasks:
        timeline.end(task, now, code="ServiceSchedulerInitiated", reason=reason, exit_code=0)
    state.steady = False
    if any(task.groups for task in tasks):
        state.say(now, f"has begun draining connections on {len(tasks)} tasks.")
        group = next(task.groups[0][0] for task in tasks if task.groups)
        state.say(now, f"deregistered {len(tasks)} targets in (target-group {group})")
    state.say(now, f"has stopped {len(tasks)} running tasks: {_named(tasks)}.")


def _named(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks[:MOST_NAMED])


def sickest_first(tasks: list[Task], now: float) -> list[Task]:
    """Those that serve nobody first, then the oldest."""
    return sorted(tasks, key=lambda task: (timeline.is_healthy(task, now), task.created))
