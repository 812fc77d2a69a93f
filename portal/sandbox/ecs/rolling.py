"""The rolling update, and keeping the desired number of tasks once there is nothing to roll out."""

from __future__ import annotations

from portal.sandbox.ecs import rollouts, staffing, timeline
from portal.sandbox.ecs.state import Deployment, Rollout, ServiceState, Task
from portal.sandbox.ecs.world import World

_SCALED = "Scaling activity initiated by (deployment {})"


def staff(state: ServiceState, now: float, world: World) -> None:
    """Start and stop tasks as far as the service's percentages allow."""
    primary = state.primary
    new, old = staffing.of(state, primary), others(state)
    start, stop = staffing.decide(
        state.desired,
        int(state.configuration.get("minimumHealthyPercent", 100)),
        int(state.configuration.get("maximumPercent", 200)),
        staffing.counts(new, now),
        staffing.counts(old, now),
    )
    if primary.rollout != "FAILED":
        staffing.start(state, primary, start, now, world)
        gone = staffing.sickest_first(old, now)[:stop]
        staffing.stop(state, gone, now, _SCALED.format(primary.id))
    surplus = len(new) - state.desired
    if surplus > 0:
        newest = sorted(staffing.sickest_first(new, now)[: len(new)], key=lambda task: -task.created)
        ordered = [task for task in newest if not timeline.is_healthy(task, now)]
        ordered += [task for task in newest if timeline.is_healthy(task, now)]
        staffing.stop(state, ordered[:surplus], now, _SCALED.format(primary.id))


def others(state: ServiceState) -> list[Task]:
    """Tasks of deployments that are being replaced and not on their way out yet."""
    primary = state.primary.id
    return [task for task in state.tasks.values() if task.deployment != primary and timeline.is_wanted(task)]


def is_in_place(state: ServiceState, deployment: Deployment, now: float) -> bool:
    """Whether the desired tasks of the deployment are healthy and no task of another one still leaves."""
    found = staffing.counts(staffing.of(state, deployment), now)
    left = any(
        task.deployment != deployment.id
        and timeline.status_at(task, now) not in {"DEPROVISIONING", "STOPPED"}
        for task in state.tasks.values()
    )
    return found.live == found.healthy == state.desired and not left


def follow(state: ServiceState, rollout: Rollout | None, now: float, world: World) -> None:
    """One look at a rolling update, at a way back, or at a service at rest."""
    if rollout is not None and rollout.status == "ROLLBACK_REQUESTED" and now >= (rollout.rollback_at or 0):
        _turn_back(state, rollout, now)
    staff(state, now, world)
    if not is_in_place(state, state.primary, now):
        return
    watched = rollout is not None and not rollout.going_back and rollout.alarms == "MONITORING"
    if rollout is not None and watched and not state.primary.instant:
        if rollout.bake_until is None:
            minutes = rollout.configuration.get("bakeTimeInMinutes") or 1
            rollout.bake_until = now + max(minutes * world.pace.minute, 5 * world.pace.step)
            rollout.stage = "BAKE_TIME"
        if now < rollout.bake_until:
            return
    if rollout is not None and rollout.status == "ROLLBACK_REQUESTED":
        return
    if rollout is not None or state.primary.rollout == "IN_PROGRESS":
        rollouts.complete(state, now)
    if not state.steady:
        state.steady = True
        state.say(now, "has reached a steady state.")


def _turn_back(state: ServiceState, rollout: Rollout, now: float) -> None:
    revision = state.revisions[rollout.rollback["serviceRevisionArn"]]
    before = next((found.id for found in state.deployments if found.revision == revision.arn), "")
    failed = state.deployment(rollout.deployment)
    back = rollouts.deploy(state, revision, now)
    if failed is not None and failed.rollout != "FAILED":
        failed.rollout, failed.reason = "FAILED", f"ECS deployment {failed.id} was stopped."
    cause = "circuit breaker" if rollout.breaker == "TRIGGERED" else "deployment"
    back.reason = f"ECS deployment {cause}: rolling back to deploymentId {before or back.id}."
    rollout.status, rollout.back, rollout.rollback_at, rollout.updated = (
        "ROLLBACK_IN_PROGRESS",
        back.id,
        None,
        now,
    )
    rollout.stage = ""
    state.say(now, f"rolling back to deployment {before or back.id}.")
