"""What happens to tasks by themselves, and what ECS makes of it: failures, circuit breaker, alarms."""

from __future__ import annotations

from portal.sandbox.ecs import rollouts, timeline
from portal.sandbox.ecs.state import Deployment, Rollout, ServiceState, Task
from portal.sandbox.ecs.world import World

_LONGEST_PAUSE = 300.0  # seconds between attempts of a service whose tasks keep failing
_ROUNDS_BEFORE_PAUSE = 3
_STEPS_TO_ALARM = 4
_DOOMING = frozenset({"oom", "never-healthy"})


def look(state: ServiceState, now: float, world: World) -> None:
    """Note what became of each task since the last look."""
    _doom_by_switch(state, now, world)
    registered: dict[str, int] = {}
    for task in list(state.tasks.values()):
        deployment = state.deployment(task.deployment)
        if timeline.is_healthy(task, now) and "healthy" not in task.noted:
            task.noted.add("healthy")
            for group, _ in task.groups:
                registered[group] = registered.get(group, 0) + 1
            if deployment is not None:
                _served(state, deployment, now)
        if task.dies_at is not None and task.dies_at <= now and timeline.is_wanted(task):
            _die(state, task, deployment, task.dies_at, world)
    for group, number in registered.items():
        state.say(now, f"registered {number} targets in (target-group {group})")


def _doom_by_switch(state: ServiceState, now: float, world: World) -> None:
    fault, since = world.switched(state)
    if fault not in _DOOMING or since > now:
        return
    for task in state.tasks.values():
        if timeline.is_wanted(task) and timeline.is_running(task, now) and task.dies_at is None:
            if fault == "never-healthy" and not task.checked:
                continue
            timeline.doom(task, fault, now)


def _served(state: ServiceState, deployment: Deployment, now: float) -> None:
    deployment.failed, deployment.not_before = 0, 0.0
    if deployment.traffic_at is None and deployment.wanted is None:
        deployment.traffic_at = now
    rollout = state.rollout
    breaker = (rollout.configuration.get("deploymentCircuitBreaker") or {}) if rollout else {}
    if rollout is None or not breaker.get("resetOnHealthyTask", True):
        return
    if rollout.going_back:
        rollout.failures_back = 0
    elif deployment.id == rollout.deployment:
        rollout.failures = 0


def _die(state: ServiceState, task: Task, deployment: Deployment | None, at: float, world: World) -> None:
    death, served = task.death, "healthy" in task.noted
    timeline.end(
        task,
        at,
        code=death["code"],
        reason=death["reason"],
        container=death.get("container", ""),
        exit_code=death["exit"],
    )
    state.steady = False
    if task.unhealthy_at is not None and task.groups:
        words = f"(port {task.groups[0][1]}) is unhealthy in (target-group {task.groups[0][0]})"
        state.say(at, f"{words} due to (reason Health checks failed with these codes: [503]).")
        state.say(at, f"has stopped 1 running tasks: (task {task.id}).")
    elif task.unhealthy_at is not None:
        state.say(at, f"(task {task.id}) failed container health checks.")
    if deployment is None:
        return
    deployment.failed += 1
    deployment.updated = at
    rounds = deployment.failed // max(1, state.desired)
    if rounds >= _ROUNDS_BEFORE_PAUSE:
        pause = min(task.step * 2 ** min(rounds - _ROUNDS_BEFORE_PAUSE, 12), _LONGEST_PAUSE)
        deployment.not_before = at + pause
        if rounds == _ROUNDS_BEFORE_PAUSE and deployment.failed % max(1, state.desired) == 0:
            state.say(at, "is unable to consistently start tasks successfully.")
    rollout = state.rollout
    if rollout is None or served:
        return
    if deployment.id == rollout.back:
        rollout.failures_back += 1
    elif deployment.id == rollout.deployment and not rollout.going_back:
        rollout.failures += 1


def judge(state: ServiceState, rollout: Rollout, now: float, world: World) -> None:
    """Let the circuit breaker or the deployment alarms end the rollout when they must."""
    breaker = rollout.configuration.get("deploymentCircuitBreaker") or {}
    most = rollouts.threshold(state, rollout)
    if rollout.going_back:
        if rollout.failures_back >= most:
            _give_up_going_back(state, rollout, now)
        return
    if rollout.breaker == "MONITORING" and rollout.failures >= most:
        rollout.breaker = "TRIGGERED"
        reason = "circuit breaker: tasks failed to start."
        rollouts.fail(
            state, rollout, now, "tasks failed to start.", reason, back=bool(breaker.get("rollback"))
        )
        return
    if rollout.alarms != "MONITORING":
        return
    alarms = rollout.configuration.get("alarms") or {}
    found = world.firing(alarms.get("alarmNames") or [])
    fired = sorted(name for name, since in found.items() if since <= now)
    if fired:
        rollout.alarms, rollout.triggered = "TRIGGERED", fired
        reason = f"alarm detected: {', '.join(fired)} in ALARM."
        rollouts.fail(state, rollout, now, "alarm detected.", reason, back=bool(alarms.get("rollback")))


def _give_up_going_back(state: ServiceState, rollout: Rollout, now: float) -> None:
    rollout.status, rollout.finished, rollout.updated = "ROLLBACK_FAILED", now, now
    state.primary.rollout = "FAILED"
    state.primary.reason = "ECS deployment circuit breaker: the rollback's tasks failed to start too."
    state.say(now, f"(deployment {state.primary.id}) deployment failed: tasks failed to start.")


def alarm_time(state: ServiceState, deployment: Deployment, world: World) -> float | None:
    """When the deployment's fault makes the service's alarms fire; None when it does not, or has."""
    if deployment.traffic_at is None or deployment.alarmed or deployment.status != "PRIMARY":
        return None
    fault, since = world.switched(state)
    switched = fault == "alarm-in-bake" and (since <= deployment.created or deployment.rollout != "COMPLETED")
    if deployment.fault != "alarm-in-bake" and not switched:
        return None
    return deployment.traffic_at + _STEPS_TO_ALARM * world.pace.step


def sound(state: ServiceState, now: float, world: World) -> None:
    """Let alarms fire that a fault brings, and fall silent once the faulty revision serves no more."""
    primary = state.primary
    due = alarm_time(state, primary, world)
    if due is not None and due <= now:
        primary.alarmed = True
        state.fired = sorted({*state.fired, *world.sound(state, due)})
    elif state.fired and not primary.alarmed and primary.rollout == "COMPLETED":
        world.calm(state.fired)
        state.fired = []
