"""The API of service deployments and service revisions, which moto does not have."""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import unix_time
from moto.ecs.exceptions import InvalidParameterException, ServiceNotFoundException
from moto.ecs.responses import EC2ContainerServiceResponse

from portal.sandbox.ecs import engine, rollouts, rows, services
from portal.sandbox.ecs.refusals import ConflictError, ServiceDeploymentNotFoundError
from portal.sandbox.patching import add

_MOST_ARNS = 20
_PAGE, _MOST_PAGE = 20, 100
_STOPPABLE = frozenset({"PENDING", "IN_PROGRESS"})


@add(EC2ContainerServiceResponse)
def list_service_deployments(self: EC2ContainerServiceResponse) -> ActionResult:
    """A service's deployments, the newest first, in pages."""
    cluster = self.ecs_backend._get_cluster(self._get_param("cluster") or "default").name
    name = str(self._get_param("service") or "").split("/")[-1]
    if f"{cluster}:{name}" not in self.ecs_backend.services:
        raise ServiceNotFoundException
    wanted = set(self._get_param("status") or [])
    created = self._get_param("createdAt") or {}
    after, before = _seconds(created.get("after")), _seconds(created.get("before"))
    with services.caught_up(self.ecs_backend):
        state = services.state_of(self.ecs_backend.services[f"{cluster}:{name}"])
        found = [
            rows.listed(state, rollout)
            for rollout in state.rollouts
            if (not wanted or rollout.status in wanted)
            and (after is None or rollout.created >= after)
            and (before is None or rollout.created <= before)
        ]
    first = int(self._get_param("nextToken") or 0)
    last = first + min(self._get_int_param("maxResults") or _PAGE, _MOST_PAGE)
    page: dict[str, Any] = {"serviceDeployments": found[first:last]}
    return ActionResult(page | ({"nextToken": str(last)} if last < len(found) else {}))


def _seconds(given: Any) -> float | None:
    if given is None:
        return None
    return float(given.timestamp() if hasattr(given, "timestamp") else given)


@add(EC2ContainerServiceResponse)
def describe_service_deployments(self: EC2ContainerServiceResponse) -> ActionResult:
    """Service deployments by their ARNs."""
    arns = _asked(self, "serviceDeploymentArns")
    with services.caught_up(self.ecs_backend) as states:
        now = unix_time()
        known = {
            rollout.arn: rows.rollout(state, rollout, now)
            for state in states.values()
            for rollout in state.rollouts
            if rollout.arn in arns
        }
    return _found("serviceDeployments", arns, known)


@add(EC2ContainerServiceResponse)
def describe_service_revisions(self: EC2ContainerServiceResponse) -> ActionResult:
    """Service revisions by their ARNs."""
    arns = _asked(self, "serviceRevisionArns")
    with services.caught_up(self.ecs_backend) as states:
        known = {
            revision.arn: rows.revision(state, revision)
            for state in states.values()
            for revision in state.revisions.values()
            if revision.arn in arns
        }
    return _found("serviceRevisions", arns, known)


def _asked(response: EC2ContainerServiceResponse, name: str) -> list[str]:
    arns = list(response._get_param(name) or [])
    if not arns:
        raise InvalidParameterException(f"{name} cannot be empty.")
    if len(arns) > _MOST_ARNS:
        raise InvalidParameterException(f"{name} cannot have more than {_MOST_ARNS} elements.")
    return arns


def _found(name: str, arns: list[str], known: dict[str, Any]) -> ActionResult:
    failures = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
    return ActionResult({name: [known[arn] for arn in arns if arn in known], "failures": failures})


@add(EC2ContainerServiceResponse)
def stop_service_deployment(self: EC2ContainerServiceResponse) -> ActionResult:
    """Stop a service deployment that is under way and bring the service back."""
    arn = str(self._get_param("serviceDeploymentArn") or "")
    if (self._get_param("stopType") or "ROLLBACK") != "ROLLBACK":
        raise InvalidParameterException("stopType should be ROLLBACK.")
    with services.caught_up(self.ecs_backend) as states:
        for state in states.values():
            rollout = next((found for found in state.rollouts if found.arn == arn), None)
            if rollout is None:
                continue
            if rollout.status not in _STOPPABLE:
                raise ConflictError(rollout.status)
            world = services.world_of(self.ecs_backend)
            now = max(time.time(), state.clock)
            reason = "Service deployment rolled back because it was stopped by the user."
            rollouts.request_rollback(state, rollout, now, reason, delay=world.pace.step / 3)
            engine.advance(state, now, world)
            return ActionResult({"serviceDeploymentArn": arn})
    raise ServiceDeploymentNotFoundError
