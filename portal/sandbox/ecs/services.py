"""The sandbox's services as moto keeps them, brought up to now before anybody looks."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.utils import unix_time
from moto.ecs.models import EC2ContainerServiceBackend, Service, ecs_backends

from portal.sandbox.ecs import engine, rollouts, rows, staffing, timeline
from portal.sandbox.ecs.state import NAME_ON_SERVICE, ServiceState
from portal.sandbox.ecs.surroundings import AsItWas, MotoWorld

DEFAULTS = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}
# Two requests at once must not both move the same service on.
_LOCK = threading.RLock()


@contextmanager
def caught_up(backend: EC2ContainerServiceBackend) -> Iterator[dict[str, ServiceState]]:
    """All services of an account and region (by ARN) as they are now; nobody else moves them meanwhile."""
    with _LOCK:
        states = {str(service.arn): state_of(service) for service in list(backend.services.values())}
        world = MotoWorld(backend)
        for state in states.values():
            engine.advance(state, time.time(), world)
        yield states


def catch_up(account: str, region: str) -> list[ServiceState]:
    """The services there as they are now; for services of moto's that ECS moves: targets, rules, alarms."""
    if "moto.ecs.models" not in sys.modules or account not in ecs_backends:
        return []
    regions = ecs_backends[account]
    if region not in dict.keys(regions):
        return []
    with caught_up(regions[region]) as states:
        return list(states.values())


def world_of(backend: EC2ContainerServiceBackend) -> MotoWorld:
    """What is around the services of that backend."""
    return MotoWorld(backend)


def state_of(service: Service) -> ServiceState:
    """What the sandbox remembers of a service; one that an older sandbox made runs as it always did."""
    known: ServiceState | None = vars(service).get(NAME_ON_SERVICE)
    return known if known is not None else _adopt(service)


def remember(service: Service) -> ServiceState:
    """Begin to remember a service that was made just now; nothing runs yet."""
    made = ServiceState(
        account=service._account_id,
        region=service.region_name,
        partition=str(service.cluster_arn).split(":")[1],
        cluster=service.cluster_name,
        name=service.name,
        desired=0,
        configuration={},
        settings={},
        definition="",
        clock=time.time(),
        active=service.status == "ACTIVE",
    )
    setattr(service, NAME_ON_SERVICE, made)
    take_over(service)
    return made


def take_over(service: Service) -> ServiceState:
    """Read from moto's service what was asked for."""
    state = state_of(service)
    configuration = getattr(service, "deployment_configuration", None) or {}
    network = (service.network_configuration or {}).get("awsvpcConfiguration") or {}
    state.desired = service.desired_count
    state.configuration = {**DEFAULTS, **configuration}
    state.definition = str(service.task_definition or "")
    state.settings = {
        "loadBalancers": list(service.load_balancers or []),
        "serviceRegistries": list(service.service_registries or []),
        "networkConfiguration": service.network_configuration or None,
        "subnets": list(network.get("subnets") or []),
        "launchType": service.launch_type,
        "platformVersion": service.platform_version,
        "capacityProviderStrategy": list(getattr(service, "capacity_provider_strategy", None) or []),
    }
    return state


def _adopt(service: Service) -> ServiceState:
    state = remember(service)
    if not state.active or not _by_ecs(service):
        return state
    number = str(service.deployments[0]["id"]) if service.deployments else ""
    world = AsItWas(service._backend)
    rollout = rollouts.begin(state, state.clock, world, instant=True)
    if number:
        rollout.deployment = state.primary.id = number
    engine.advance(state, state.clock, world)
    return state


def _by_ecs(service: Service) -> bool:
    return bool(service.deployment_controller["type"] == "ECS" and service.task_definition)


def project(service: Service) -> None:
    """Write what a client is to see onto moto's service."""
    state = state_of(service)
    if not _by_ecs(service):
        return
    now = unix_time()
    seen: Any = service
    tasks = [task for task in state.tasks.values() if timeline.is_wanted(task)]
    seen.running_count = sum(timeline.is_running(task, now) for task in tasks)
    seen.pending_count = sum(timeline.is_pending(task, now) for task in tasks)
    seen.task_definition = state.definition
    seen.deployments = [rows.deployment(state, found, now) for found in state.deployments]
    seen.events = [rows.event(found) for found in state.events]
    seen.current_service_deployment = state.rollouts[0].arn if state.rollouts else None
    seen.current_service_revisions = rows.revisions_now(state, now)


def bring_within(
    backend: EC2ContainerServiceBackend, cluster: str, name: str, least: int | None, most: int | None
) -> None:
    """Application Auto Scaling's first deed: the desired count moves into the new bounds."""
    service = backend.services[f"{cluster}:{name}"]
    with caught_up(backend):
        wanted = max(int(service.desired_count), least or 0)
        service.desired_count = wanted if most is None else min(wanted, most)
        state = take_over(service)
        engine.advance(state, max(time.time(), state.clock), MotoWorld(backend))
        project(service)


def finish(service: Service) -> None:
    """The service is deleted: its tasks end with it."""
    state = state_of(service)
    now = time.time()
    tasks = [task for task in state.tasks.values() if timeline.is_wanted(task)]
    staffing.stop(state, tasks, now, "Service is being deleted")
    if state.rollout is not None:
        rollouts.supersede(state, state.rollout, now, MotoWorld(service._backend))
    for task in tasks:
        task.marks[-1] = (now, "STOPPED")
        task.marks = [mark for mark in task.marks if mark[0] <= now]
    state.active, state.clock = False, now
