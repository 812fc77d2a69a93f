"""An ECS whose time is told, not waited for: counts every call and has the documented request limits.

Rates: "Request throttling for the Amazon ECS API" (bucket, refill a second); Elastic Load Balancing's
non-mutating calls 40, 10. Each service's rollout is a function of the time since its UpdateService.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.aws.errors import AwsError
from portal.aws.limits import LIMITS, TokenBucket

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LATENCY = 0.05
# operation -> (whose bucket, its size, refill a second)
QUOTAS: dict[str, tuple[str, float, float]] = {
    "register_task_definition": ("register", 20, 1),
    "update_service": ("update", 50, 5),
    "describe_services": ("services", 100, 20),
    "describe_service_deployments": ("service deployments", 50, 20),
    "list_service_deployments": ("service deployments", 50, 20),
    "describe_service_revisions": ("service revisions", 50, 20),
    "list_tasks": ("tasks", 100, 20),
    "describe_tasks": ("tasks", 100, 20),
    "describe_task_definition": ("task definitions", 50, 20),
    "list_task_definitions": ("task definition lists", 50, 20),
    "describe_target_health": ("targets", 40, 10),
}


@dataclass
class Clock:
    """Virtual seconds since the beginning."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


class Quota:
    """One of AWS's buckets: says no when it is empty."""

    def __init__(self, size: float, refill: float) -> None:
        self.size, self.refill, self.left, self.at = size, refill, size, 0.0

    def take(self, at: float) -> bool:
        # Two workers' calls come a little out of order; time never refills it twice.
        self.left = min(self.size, self.left + max(0.0, at - self.at) * self.refill)
        self.at = max(self.at, at)
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass
class Rollout:
    """New tasks that run after so many seconds, and failed ones; done when all run and `least` seconds are over."""

    running: Callable[[float], int]
    failed: Callable[[float], int] = lambda seconds: 0
    least: float = 0.0


@dataclass
class Service:
    """One service and the rollout that an UpdateService begins."""

    name: str
    desired: int
    rollout: Rollout
    definition: str = "arn:aws:ecs:x:1:task-definition/f:1"
    told_at: float | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:x:1:service/c/{self.name}"


@dataclass
class VirtualAws:
    """The calls of portal.aws, answered. `worker` says whose client-side limits hold now."""

    clock: Clock
    services: dict[str, Service] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    worker: int = 0
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    _quotas: dict[str, Quota] = field(default_factory=dict)
    _limits: dict[tuple[int, str], TokenBucket] = field(default_factory=dict)

    def call(self, access: Any, service: str, operation: str, /, **asked: Any) -> dict[str, Any]:
        self._client_side(service, operation)
        self.clock.pass_by(LATENCY)
        self.made[operation] += 1
        name, size, refill = QUOTAS[operation]
        if not self._quotas.setdefault(name, Quota(size, refill)).take(self.clock.seconds):
            self.throttled[operation] += 1
            raise AwsError(f"{operation}: Rate exceeded", code="ThrottlingException", permanent=False)
        answer: dict[str, Any] = getattr(self, f"_{operation}")(asked)
        return answer

    def pages(self, access: Any, service: str, operation: str, /, **asked: Any) -> Iterator[dict[str, Any]]:
        for start in range(0, max(1, len(self._arns(asked))), 100):
            self.call(access, service, operation, **asked)
            yield {"taskArns": self._arns(asked)[start : start + 100]}

    def _client_side(self, service: str, operation: str) -> None:
        """The portal's own limits, one set for each worker process."""
        camel = f"{service}.{''.join(word.capitalize() for word in operation.split('_'))}"
        name = camel if camel in LIMITS else service
        key = (self.worker, name)
        if key not in self._limits:
            rate, burst = LIMITS.get(name, LIMITS["default"])
            clock = self.clock
            self._limits[key] = TokenBucket(rate, burst, clock=lambda: clock.seconds, sleep=clock.pass_by)
        self._limits[key].take()

    # --- answers -----------------------------------------------------------------------------------

    def _of(self, asked: dict[str, Any]) -> Service:
        return self.services[str(asked.get("service") or asked.get("serviceName")).rpartition("/")[2]]

    def _counts(self, service: Service) -> tuple[int, int, bool]:
        """(new running, failed, done)."""
        if service.told_at is None:
            return 0, 0, False
        spent = self.clock.seconds - service.told_at
        running = min(service.desired, service.rollout.running(spent))
        done = running == service.desired and spent >= service.rollout.least
        return running, service.rollout.failed(spent), done

    def _describe_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"services": [self._service(self._of({"service": arn})) for arn in asked["services"]]}

    def _service(self, service: Service) -> dict[str, Any]:
        running, failed, done = self._counts(service)
        old = {"id": "ecs-svc/old", "taskDefinition": "arn:aws:ecs:x:1:task-definition/f:1"}
        rows = [{**old, "status": "PRIMARY", "rolloutState": "COMPLETED"}]
        if service.told_at is not None:
            state = "COMPLETED" if done else "IN_PROGRESS"
            new = {"id": "ecs-svc/new", "status": "PRIMARY", "taskDefinition": service.definition}
            new |= {"rolloutState": state, "runningCount": running, "failedTasks": failed}
            rows = [new] if done else [new, {**old, "status": "ACTIVE"}]
        return {
            "serviceArn": service.arn,
            "serviceName": service.name,
            "status": "ACTIVE",
            "taskDefinition": service.definition,
            "desiredCount": service.desired,
            "runningCount": service.desired,
            "deployments": rows,
            "events": [],
            "loadBalancers": [{"targetGroupArn": f"arn:tg/{service.name}", "containerName": "app"}],
            "currentServiceDeployment": f"arn:sd/{service.name}/{'old' if service.told_at is None else 'new'}",
        }

    def _update_service(self, asked: dict[str, Any]) -> dict[str, Any]:
        service = self._of(asked)
        service.definition, service.told_at = asked["taskDefinition"], self.clock.seconds
        return {"service": self._service(service)}

    def _list_service_deployments(self, asked: dict[str, Any]) -> dict[str, Any]:
        service = self._of(asked)
        if service.told_at is None:
            return {"serviceDeployments": []}
        created = BEGIN + timedelta(seconds=service.told_at)
        target = {"targetServiceRevisionArn": f"arn:revision/{service.name}", "createdAt": created}
        return {"serviceDeployments": [{"serviceDeploymentArn": f"arn:sd/{service.name}/new", **target}]}

    def _describe_service_revisions(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = [arn.rpartition("/")[2] for arn in asked["serviceRevisionArns"]]
        return {
            "serviceRevisions": [
                {
                    "serviceRevisionArn": f"arn:revision/{name}",
                    "taskDefinition": self.services[name].definition,
                }
                for name in names
            ]
        }

    def _describe_service_deployments(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = []
        for arn in asked["serviceDeploymentArns"]:
            service = self.services[arn.split("/")[1]]
            running, failed, done = self._counts(service)
            new = {"arn": "new", "requestedTaskCount": service.desired, "runningTaskCount": running}
            old = {"arn": "old", "requestedTaskCount": 0, "runningTaskCount": service.desired - running}
            rows.append(
                {
                    "serviceDeploymentArn": arn,
                    "status": "SUCCESSFUL" if done else "IN_PROGRESS",
                    "targetServiceRevision": new,
                    "sourceServiceRevisions": [old],
                    "deploymentCircuitBreaker": {"failureCount": failed, "threshold": 200},
                    "deploymentConfiguration": {
                        "deploymentCircuitBreaker": {"enable": True, "rollback": True}
                    },
                }
            )
        return {"serviceDeployments": rows}

    def _arns(self, asked: dict[str, Any]) -> list[str]:
        service = self._of(asked)
        running, failed, _done = self._counts(service)
        if asked.get("desiredStatus") == "STOPPED":
            return [f"arn:task/{service.name}/stopped-{number}" for number in range(failed)]
        new = [f"arn:task/{service.name}/new-{number}" for number in range(running)]
        old = [f"arn:task/{service.name}/old-{number}" for number in range(service.desired - running)]
        return new + old

    def _list_tasks(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _describe_tasks(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = []
        for arn in asked["tasks"]:
            service = self.services[arn.split("/")[1]]
            old = "/old-" in arn
            container = {"name": "app", "imageDigest": "sha256:old" if old else "sha256:new"}
            if "/stopped-" in arn:
                container |= {"exitCode": 1}
            rows.append(
                {
                    "taskArn": arn,
                    "lastStatus": "STOPPED" if "/stopped-" in arn else "RUNNING",
                    "taskDefinitionArn": "arn:aws:ecs:x:1:task-definition/f:1" if old else service.definition,
                    "containers": [container],
                }
            )
        return {"tasks": rows}

    def _describe_target_health(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"TargetHealthDescriptions": []}

    def _list_task_definitions(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [arn for arn in self.definitions if arn.partition("/")[2].startswith(asked["familyPrefix"])]
        return {"taskDefinitionArns": found}

    def _describe_task_definition(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"taskDefinition": self.definitions[asked["taskDefinition"]]}

    def _register_task_definition(self, asked: dict[str, Any]) -> dict[str, Any]:
        arn = f"arn:aws:ecs:x:1:task-definition/{asked['family']}:{len(self.definitions) + 2}"
        self.definitions[arn] = {**asked, "taskDefinitionArn": arn}
        return {"taskDefinition": {"taskDefinitionArn": arn}}
