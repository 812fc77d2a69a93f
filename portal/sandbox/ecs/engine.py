"""Moves a service's state on to a given time, from one change to the next.

Nothing runs in between: the state at any time follows from what was asked, when, and what the world says.
"""

from __future__ import annotations

import math

from portal.sandbox.ecs import rolling, rollouts, shifting, timeline, watch
from portal.sandbox.ecs.state import ServiceState
from portal.sandbox.ecs.world import World

_MOST_STEPS = 5_000  # of one catching up; after days of failing tasks the rest is left out
_SETTLING = 3


def advance(state: ServiceState, now: float, world: World) -> None:
    """Bring the service up to `now`; an earlier time changes nothing."""
    if not state.active or not state.deployments:
        return
    for _ in range(_MOST_STEPS):
        at = _next_change(state, world)
        if at > now:
            break
        _settle(state, at, world)
    if now >= state.clock:
        _settle(state, now, world)


def _settle(state: ServiceState, at: float, world: World) -> None:
    state.clock = at
    # What starts at once has its consequences at the same moment.
    for _ in range(_SETTLING):
        serial = state.serial
        _step(state, at, world)
        if state.serial == serial:
            break
    _forget(state, at)


def _step(state: ServiceState, now: float, world: World) -> None:
    watch.look(state, now, world)
    rollout = state.rollout
    if rollout is not None:
        watch.judge(state, rollout, now, world)
        rollout = state.rollout
    if rollout is not None and rollout.started_as in rollouts.SHIFTING:
        shifting.follow(state, rollout, now, world)
    else:
        rolling.follow(state, rollout, now, world)
    watch.sound(state, now, world)


def _next_change(state: ServiceState, world: World) -> float:
    """The next time after the state's own clock at which something is different by itself."""
    times = [at for task in state.tasks.values() for at in timeline.changes(task)]
    for deployment in state.deployments:
        times.append(deployment.not_before)
        due = watch.alarm_time(state, deployment, world)
        times += [due] if due is not None else []
    rollout = state.rollout
    if rollout is not None:
        found = (rollout.stage_until, rollout.bake_until, rollout.rollback_at)
        times += [at for at in found if at is not None]
        if rollout.alarms == "MONITORING":
            alarms = rollout.configuration.get("alarms") or {}
            times += world.firing(alarms.get("alarmNames") or []).values()
    times.append(world.switched(state)[1])
    return min((at for at in times if at > state.clock), default=math.inf)


def _forget(state: ServiceState, now: float) -> None:
    """Stopped tasks are described for an hour; a deployment without tasks is over."""
    for task in list(state.tasks.values()):
        stopped = timeline.stopped_at(task)
        if stopped is not None and stopped + timeline.KEPT < now:
            del state.tasks[task.id]
    held = {task.deployment for task in state.tasks.values() if timeline.status_at(task, now) != "STOPPED"}
    state.deployments = [
        found for found in state.deployments if found.status == "PRIMARY" or found.id in held
    ]
