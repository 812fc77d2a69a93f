"""Blue/green, canary and linear: two revisions side by side, and traffic that moves between them."""

from __future__ import annotations

from portal.sandbox.ecs import rolling, rollouts, staffing, traffic
from portal.sandbox.ecs.state import Deployment, Rollout, ServiceState
from portal.sandbox.ecs.traffic import WHOLE
from portal.sandbox.ecs.world import World


def follow(state: ServiceState, rollout: Rollout, now: float, world: World) -> None:
    """One look at a rollout that shifts traffic."""
    if rollout.status == "ROLLBACK_REQUESTED":
        if now >= (rollout.rollback_at or 0):
            _turn_back(state, rollout, now, world)
    elif not rollout.stage:
        _enter(rollout, "RECONCILE_SERVICE", now, world.pace.step)
    elif rollout.going_back:
        pass
    else:
        _go_on(state, rollout, now, world)
    if state.rollout is rollout:
        _staff(state, now, world)
    if rollout.status == "ROLLBACK_IN_PROGRESS" and rolling.is_in_place(state, state.primary, now):
        rollouts.complete(state, now)
        _rest(state)


def _enter(rollout: Rollout, stage: str, now: float, seconds: float = 0.0) -> None:
    rollout.stage, rollout.stage_until, rollout.updated = stage, now + seconds, now


def _go_on(state: ServiceState, rollout: Rollout, now: float, world: World) -> None:
    """Go through the stages that are over, as far as the time and the tasks allow."""
    green = state.primary
    for other in state.deployments:
        if other is not green and other.wanted is None:
            serving = other.revision == state.good
            other.wanted = state.desired if serving else 0
    if green.wanted is None:
        green.wanted = 0
    while state.rollout is rollout and now >= (rollout.stage_until or 0):
        before = (rollout.stage, rollout.stage_until)
        _STAGES[rollout.stage](state, rollout, green, now, world)
        if (rollout.stage, rollout.stage_until) == before:
            break


def _reconciled(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    _enter(rollout, "PRE_SCALE_UP", now)


def _before_scaling(
    state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World
) -> None:
    green.wanted = state.desired
    _enter(rollout, "SCALE_UP", now)


def _scaling(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    green.wanted = state.desired
    found = staffing.counts(staffing.of(state, green), now)
    if found.live == found.healthy == state.desired:
        _enter(rollout, "POST_SCALE_UP", now)


def _scaled(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    if traffic.rules_of(green.settings, "testListenerRule"):
        _enter(rollout, "TEST_TRAFFIC_SHIFT", now, world.pace.step)
        rollout.tested = WHOLE
        traffic.weigh("testListenerRule", green, WHOLE, world)
    else:
        _shift(state, rollout, green, now, world)


def _tested(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    if rollout.stage == "TEST_TRAFFIC_SHIFT":
        _enter(rollout, "POST_TEST_TRAFFIC_SHIFT", now)
    else:
        _shift(state, rollout, green, now, world)


def _shift(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    """The next part of production's traffic goes to green, and rests there for its own time."""
    rollout.shifted = _next_part(rollout)
    traffic.weigh("productionListenerRule", green, rollout.shifted, world)
    if green.traffic_at is None:
        green.traffic_at = now
    whole = rollout.shifted >= WHOLE
    wait = world.pace.step if whole else _minutes(rollout) * world.pace.minute
    _enter(rollout, "PRODUCTION_TRAFFIC_SHIFT", now, wait)


def _next_part(rollout: Rollout) -> float:
    if rollout.strategy == "CANARY" and rollout.shifted == 0:
        return float((rollout.configuration.get("canaryConfiguration") or {}).get("canaryPercent", 5.0))
    if rollout.strategy == "LINEAR":
        step = float((rollout.configuration.get("linearConfiguration") or {}).get("stepPercent", 10.0))
        return min(WHOLE, rollout.shifted + step)
    return WHOLE


def _minutes(rollout: Rollout) -> float:
    if rollout.strategy == "CANARY":
        given = rollout.configuration.get("canaryConfiguration") or {}
        return float(given.get("canaryBakeTimeInMinutes", 10))
    given = rollout.configuration.get("linearConfiguration") or {}
    return float(given.get("stepBakeTimeInMinutes", 6))


def _shifted(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    if rollout.shifted < WHOLE:
        _shift(state, rollout, green, now, world)
    else:
        _enter(rollout, "POST_PRODUCTION_TRAFFIC_SHIFT", now)


def _after_shift(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    bake = float(rollout.configuration.get("bakeTimeInMinutes") or 0) * world.pace.minute
    _enter(rollout, "BAKE_TIME", now, bake)


def _baked(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    for other in state.deployments:
        if other is not green:
            other.wanted = 0
    _enter(rollout, "CLEAN_UP", now)


def _cleaned(state: ServiceState, rollout: Rollout, green: Deployment, now: float, world: World) -> None:
    if rolling.is_in_place(state, green, now):
        state.live = 1 - state.live
        rollouts.complete(state, now)
        _rest(state)


def _rest(state: ServiceState) -> None:
    for deployment in state.deployments:
        deployment.wanted = None


def _staff(state: ServiceState, now: float, world: World) -> None:
    for deployment in list(state.deployments):
        if deployment.wanted is None:
            continue
        tasks = staffing.of(state, deployment)
        if deployment.wanted:
            deployment.wanted = state.desired
        staffing.start(state, deployment, deployment.wanted - len(tasks), now, world)
        surplus = max(0, len(tasks) - deployment.wanted)
        reason = f"Scaling activity initiated by (deployment {state.primary.id})"
        staffing.stop(state, staffing.sickest_first(tasks, now)[:surplus], now, reason)


def _turn_back(state: ServiceState, rollout: Rollout, now: float, world: World) -> None:
    """All traffic to blue at once, then green's tasks go."""
    green = state.primary
    traffic.take_away(green, world)
    blue = next((found for found in state.deployments if found.revision == state.good), None)
    if blue is None:
        blue = rollouts.deploy(state, state.revisions[state.good], now)
    for deployment in state.deployments:
        deployment.status, deployment.wanted = "ACTIVE", 0
    if green.rollout != "FAILED":
        green.rollout, green.reason = "FAILED", f"ECS deployment {green.id} was stopped."
    blue.status, blue.wanted, blue.rollout, blue.updated = "PRIMARY", state.desired, "IN_PROGRESS", now
    blue.reason = f"ECS deployment: rolling back to deploymentId {blue.id}."
    state.deployments.sort(key=lambda found: found.status != "PRIMARY")
    state.definition = blue.definition
    rollout.status, rollout.back, rollout.rollback_at = "ROLLBACK_IN_PROGRESS", blue.id, None
    rollout.shifted = rollout.tested = 0.0
    _enter(rollout, "CLEAN_UP", now)
    rollout.stage_until = None
    state.say(now, f"rolling back to deployment {blue.id}.")


_STAGES = {
    "RECONCILE_SERVICE": _reconciled,
    "PRE_SCALE_UP": _before_scaling,
    "SCALE_UP": _scaling,
    "POST_SCALE_UP": _scaled,
    "TEST_TRAFFIC_SHIFT": _tested,
    "POST_TEST_TRAFFIC_SHIFT": _tested,
    "PRODUCTION_TRAFFIC_SHIFT": _shifted,
    "POST_PRODUCTION_TRAFFIC_SHIFT": _after_shift,
    "BAKE_TIME": _baked,
    "CLEAN_UP": _cleaned,
}
