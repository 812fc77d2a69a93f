"""A world with a clock of its own: rollouts without a sandbox, without waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox.ecs import engine, rollouts, staffing, timeline
from portal.sandbox.ecs.pace import Pace
from portal.sandbox.ecs.state import Revision, Rollout, ServiceState
from portal.sandbox.ecs.timeline import Fate
from portal.sandbox.ecs.world import Place

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
ALARMS = {"alarms": {"alarmNames": ["errors", "slow"], "enable": True, "rollback": True}}
BALANCER = {
    "targetGroupArn": "tg/blue",
    "containerPort": 80,
    "advancedConfiguration": {
        "alternateTargetGroupArn": "tg/green",
        "productionListenerRule": "rule/production",
        "testListenerRule": "rule/test",
        "roleArn": "role",
    },
}


@dataclass
class StageWorld:
    """Definitions called after a fault have it; one step takes a second, a minute ten."""

    pace: Pace = field(default_factory=lambda: Pace(1.0, 10.0))
    switch: tuple[str, float] = ("", 0.0)
    room: int = 1_000
    alarms: dict[str, float] = field(default_factory=dict)
    own_alarms: Sequence[str] = ("errors",)
    weights: dict[str, dict[str, int]] = field(default_factory=dict)
    given: int = 0

    def fate(self, state: ServiceState, revision: Revision, *, first: bool) -> Fate:
        kind = self.switch[0] or revision.definition.partition(":")[0]
        reason = "CannotPullContainerError: not found" if kind == "cannot-pull" else ""
        images = [("app", "image", f"sha256:{revision.definition}")]
        return Fate(kind if kind != "app" else "fine", reason, images, never_starts=kind == "cannot-pull")

    def switched(self, state: ServiceState) -> tuple[str, float]:
        return self.switch

    def place(self, state: ServiceState, subnets: Sequence[str]) -> Place | None:
        used = sum(timeline.stopped_at(task) is None for task in state.tasks.values())
        self.given += 1
        return Place("subnet-1", f"10.0.0.{self.given}", "a") if used < self.room else None

    def firing(self, names: Sequence[str]) -> Mapping[str, float]:
        return {name: since for name, since in self.alarms.items() if name in names}

    def sound(self, state: ServiceState, at: float) -> list[str]:
        self.alarms |= dict.fromkeys(self.own_alarms, at)
        return list(self.own_alarms)

    def calm(self, names: Sequence[str]) -> None:
        for name in names:
            self.alarms.pop(name, None)

    def weigh(self, rule: str, weights: Mapping[str, int]) -> None:
        self.weights[rule] = dict(weights)


@dataclass
class Stage:
    """One service with its world and its time."""

    world: StageWorld
    state: ServiceState
    now: float = 1_000.0

    @classmethod
    def with_service(cls, *, desired: int = 2, balancer: bool = True, **configuration: Any) -> "Stage":
        """A service that runs app:1 at rest."""
        stage = cls(StageWorld(), new_service(desired, balancer, configuration))
        stage.deploy("app:1", instant=True)
        return stage

    def deploy(self, definition: str, *, instant: bool = False, **configuration: Any) -> Rollout:
        self.state.definition = definition
        self.state.configuration |= configuration
        rollout = rollouts.begin(self.state, self.now, self.world, instant=instant)
        self.to(self.now)
        return rollout

    def to(self, now: float) -> None:
        self.now = now
        engine.advance(self.state, now, self.world)

    def after(self, seconds: float) -> None:
        self.to(self.now + seconds)

    def until_over(self, rollout: Rollout, *, within: float = 200.0) -> float:
        """Go on until the rollout has ended; how long it took."""
        began = self.now
        while rollout.moving:
            assert self.now - began < within, (rollout.status, rollout.stage)
            self.after(0.5)
        return self.now - began

    def definitions(self) -> list[str]:
        """What the tasks that run now were started from."""
        return sorted(
            task.definition for task in self.state.tasks.values() if timeline.is_running(task, self.now)
        )

    def healthy(self) -> int:
        return staffing.counts(self.state.tasks.values(), self.now).healthy

    def said(self) -> list[str]:
        return [event["message"] for event in self.state.events]


def new_service(desired: int, balancer: bool, configuration: dict[str, Any]) -> ServiceState:
    return ServiceState(
        account="111111111111",
        region="ap-northeast-2",
        partition="aws",
        cluster="main",
        name="web",
        desired=desired,
        configuration=configuration,
        settings={"loadBalancers": [BALANCER] if balancer else [], "subnets": ["subnet-1"]},
        definition="",
        clock=1_000.0,
    )
