"""A service deployment from its begin to its end: completed, stopped, or brought back."""

from __future__ import annotations

import math

from portal.sandbox.ecs import staffing, traffic
from portal.sandbox.ecs.state import MOST_ROLLOUTS, Deployment, Revision, Rollout, ServiceState
from portal.sandbox.ecs.world import World

_LEAST_FAILURES, _MOST_FAILURES = 3, 200
SHIFTING = frozenset({"BLUE_GREEN", "CANARY", "LINEAR"})


def begin(state: ServiceState, now: float, world: World, *, instant: bool = False) -> Rollout:
    """Deploy what the service says now; a rollout under way stops."""
    if state.rollout is not None:
        supersede(state, state.rollout, now, world)
    strategy = state.configuration.get("strategy") or "ROLLING"
    shifting = strategy in SHIFTING and bool(state.good)
    index = 1 - state.live if shifting else state.live
    revision = Revision(
        arn=_arn(state, "service-revision", str(10**18 + int(state.name_of_next("revision")[:14], 16))),
        definition=state.definition,
        created=now,
        settings=dict(state.settings),
        groups=traffic.groups_of(state.settings, index),
        rule=next((rule for rule, _, _ in traffic.rules_of(state.settings, "productionListenerRule")), ""),
    )
    state.revisions[revision.arn] = revision
    deployment = deploy(state, revision, now)
    deployment.instant = instant
    rollout = Rollout(
        arn=_arn(state, "service-deployment", state.name_of_next("rollout")[:21]),
        deployment=deployment.id,
        target=revision.arn,
        sources=_sources(state, deployment),
        created=now,
        updated=now,
        configuration=dict(state.configuration),
        started_as=strategy if shifting else "ROLLING",
    )
    _arm(state, rollout, world)
    state.rollouts.insert(0, rollout)
    del state.rollouts[MOST_ROLLOUTS:]
    _forget_revisions(state)
    return rollout


def _forget_revisions(state: ServiceState) -> None:
    used = {state.good} | {found.revision for found in state.deployments}
    for rollout in state.rollouts:
        used |= {rollout.target, *(arn for arn, _ in rollout.sources)}
    state.revisions = {arn: found for arn, found in state.revisions.items() if arn in used}


def deploy(state: ServiceState, revision: Revision, now: float) -> Deployment:
    """A new PRIMARY deployment of that revision; the others go on as ACTIVE."""
    for other in state.deployments:
        other.status = "ACTIVE"
    made = Deployment(
        id=f"ecs-svc/{10**18 + int(state.name_of_next('deployment')[:14], 16)}",
        revision=revision.arn,
        definition=revision.definition,
        created=now,
        updated=now,
        settings=dict(revision.settings),
        groups=list(revision.groups),
    )
    made.reason = f"ECS deployment {made.id} in progress."
    state.deployments.insert(0, made)
    state.definition = revision.definition
    state.steady = False
    return made


def _sources(state: ServiceState, new: Deployment) -> list[tuple[str, int]]:
    running = [(other, len(staffing.of(state, other))) for other in state.deployments if other is not new]
    return [(other.revision, number) for other, number in running if number]


def _arm(state: ServiceState, rollout: Rollout, world: World) -> None:
    if not (rollout.configuration.get("deploymentCircuitBreaker") or {}).get("enable"):
        rollout.breaker = "DISABLED"
    alarms = rollout.configuration.get("alarms") or {}
    # An alarm that fires already says nothing about this rollout: ECS leaves the alarms out of it.
    if not alarms.get("enable") or world.firing(alarms.get("alarmNames") or []):
        rollout.alarms = "DISABLED"


def threshold(state: ServiceState, rollout: Rollout) -> int:
    """After how many failed tasks the circuit breaker acts."""
    given = (rollout.configuration.get("deploymentCircuitBreaker") or {}).get("thresholdConfiguration") or {}
    kind, value = given.get("type") or "BOUNDED_PERCENT", int(given.get("value") or 50)
    if kind == "COUNT":
        return value
    part = math.ceil(state.desired * value / 100)
    return max(1, part) if kind == "UNBOUNDED_PERCENT" else min(max(part, _LEAST_FAILURES), _MOST_FAILURES)


def complete(state: ServiceState, now: float) -> None:
    """The primary deployment is in place: so is the rollout, or the way back."""
    deployment, rollout = state.primary, state.rollout
    if deployment.rollout != "COMPLETED":
        deployment.rollout, deployment.updated, deployment.failed = "COMPLETED", now, 0
        deployment.reason = f"ECS deployment {deployment.id} completed."
        state.say(now, f"(deployment {deployment.id}) deployment completed.")
    if rollout is None:
        return
    rollout.status = "ROLLBACK_SUCCESSFUL" if rollout.going_back else "SUCCESSFUL"
    rollout.finished = rollout.updated = now
    rollout.stage, rollout.stage_until, rollout.bake_until = "", None, None
    for watch in ("breaker", "alarms"):
        if getattr(rollout, watch) == "MONITORING":
            setattr(rollout, watch, "MONITORING_COMPLETE")
    state.good = deployment.revision


def fail(state: ServiceState, rollout: Rollout, now: float, why: str, reason: str, *, back: bool) -> None:
    """ECS gives the rollout up: back to the last good revision when it may, else it stands where it is."""
    failed = state.deployment(rollout.deployment)
    if failed is not None:
        failed.rollout, failed.updated = "FAILED", now
        failed.reason = f"ECS deployment {reason}"
    state.say(now, f"(deployment {rollout.deployment}) deployment failed: {why}")
    if back:
        request_rollback(state, rollout, now, f"Service deployment rolled back because {reason}")
        return
    rollout.status, rollout.reason = "STOPPED", f"Service deployment failed because {reason}"
    rollout.stopped = rollout.finished = rollout.updated = now


def request_rollback(
    state: ServiceState, rollout: Rollout, now: float, reason: str, delay: float = 0.0
) -> None:
    """Bring the service back to its last good revision; without one the rollback has failed at once."""
    rollout.reason, rollout.updated = reason, now
    rollout.stage_until = rollout.bake_until = None
    if not state.good:
        rollout.status, rollout.finished = "ROLLBACK_FAILED", now
        rollout.reason = f"{reason} No rollback candidate was found to run the rollback."
        return
    rollout.status, rollout.rollback_at = "ROLLBACK_REQUESTED", now + delay
    rollout.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": state.good}


def supersede(state: ServiceState, rollout: Rollout, now: float, world: World) -> None:
    """A newer rollout begins, or the service ends: this one stops, and gives back the traffic it took."""
    green = state.deployment(rollout.deployment)
    if rollout.started_as in SHIFTING and green is not None:
        traffic.take_away(green, world)
    rollout.status, rollout.updated = "STOPPED", now
    rollout.stopped = rollout.finished = now
    rollout.reason = "A newer service deployment replaced this one."
    for deployment in state.deployments:
        deployment.wanted = None


def _arn(state: ServiceState, kind: str, name: str) -> str:
    return f"{state.prefix}:{kind}/{state.cluster}/{state.name}/{name}"
