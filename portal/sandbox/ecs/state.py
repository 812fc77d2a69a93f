"""What the sandbox remembers of an ECS service: revisions, rollouts, tasks, events. Times are epoch seconds.

Kept on moto's own Service, so a snapshot holds it. Everything further is worked out from it and the time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

NAME_ON_SERVICE = "sandbox_rollouts"
MOST_EVENTS = 100
MOST_ROLLOUTS = 200


@dataclass
class Task:
    """One task of a service; `marks` says from when on which lastStatus holds, also in the future."""

    id: str
    deployment: str
    revision: str
    definition: str
    created: float
    step: float
    images: list[tuple[str, str, str]]
    marks: list[tuple[float, str]]
    running_at: float | None = None
    healthy_at: float | None = None
    unhealthy_at: float | None = None
    dies_at: float | None = None
    death: dict[str, Any] = field(default_factory=dict)
    stopping_at: float | None = None
    drained_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    subnet: str = ""
    address: str = ""
    zone: str = ""
    groups: list[tuple[str, int]] = field(default_factory=list)
    checked: bool = False
    noted: set[str] = field(default_factory=set)


@dataclass
class Deployment:
    """What DescribeServices calls a deployment: the tasks of one revision, started by one id."""

    id: str
    revision: str
    definition: str
    created: float
    updated: float
    settings: dict[str, Any]
    groups: list[tuple[str, int]]
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    instant: bool = False
    wanted: int | None = None
    not_before: float = 0.0
    fault: str = ""
    traffic_at: float | None = None
    alarmed: bool = False
    starved: bool = False


@dataclass
class Rollout:
    """What the API calls a service deployment: the way from the running revisions to another one."""

    arn: str
    deployment: str
    target: str
    sources: list[tuple[str, int]]
    created: float
    updated: float
    configuration: dict[str, Any]
    status: str = "IN_PROGRESS"
    reason: str = ""
    finished: float | None = None
    stopped: float | None = None
    failures: int = 0
    failures_back: int = 0
    breaker: str = "MONITORING"
    alarms: str = "MONITORING"
    triggered: list[str] = field(default_factory=list)
    rollback: dict[str, Any] = field(default_factory=dict)
    rollback_at: float | None = None
    back: str = ""
    stage: str = ""
    stage_until: float | None = None
    shifted: float = 0.0
    tested: float = 0.0
    bake_until: float | None = None
    started_as: str = ""

    @property
    def strategy(self) -> str:
        """ROLLING, BLUE_GREEN, CANARY or LINEAR."""
        return str(self.configuration.get("strategy") or "ROLLING")

    @property
    def moving(self) -> bool:
        """Whether ECS still works on it."""
        return self.status in MOVING

    @property
    def going_back(self) -> bool:
        """Whether it is on its way back."""
        return self.status in {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}


MOVING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


@dataclass
class Revision:
    """A service revision: what a deployment runs, with its images as they were found when it began."""

    arn: str
    definition: str
    created: float
    settings: dict[str, Any]
    groups: list[tuple[str, int]]
    rule: str = ""
    images: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class ServiceState:
    """One service; `deployments`, `rollouts` and `events` have the newest first."""

    account: str
    region: str
    partition: str
    cluster: str
    name: str
    desired: int
    configuration: dict[str, Any]
    settings: dict[str, Any]
    definition: str
    clock: float
    active: bool = True
    serial: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    good: str = ""
    live: int = 0
    fired: list[str] = field(default_factory=list)
    steady: bool = False

    @property
    def arn(self) -> str:
        """The service's ARN."""
        return f"{self.prefix}:service/{self.cluster}/{self.name}"

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return f"{self.prefix}:cluster/{self.cluster}"

    @property
    def prefix(self) -> str:
        """What all ARNs of ECS begin with here."""
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}"

    @property
    def primary(self) -> Deployment:
        """The deployment that the service is to run."""
        return next(found for found in self.deployments if found.status == "PRIMARY")

    @property
    def rollout(self) -> Rollout | None:
        """The newest service deployment while ECS works on it."""
        return self.rollouts[0] if self.rollouts and self.rollouts[0].moving else None

    def name_of_next(self, kind: str) -> str:
        """32 letters that only this service's next thing of that kind has; the same after a restart."""
        self.serial += 1
        words = f"{self.arn} {self.clock!r} {kind} {self.serial}"
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    def deployment(self, name: str) -> Deployment | None:
        """The deployment of that id while it has tasks."""
        return next((found for found in self.deployments if found.id == name), None)

    def say(self, at: float, message: str) -> None:
        """An event of the service; the oldest beyond a hundred are forgotten."""
        made = {
            "id": self.name_of_next("event"),
            "createdAt": at,
            "message": f"(service {self.name}) {message}",
        }
        self.events.insert(0, made)
        del self.events[MOST_EVENTS:]
