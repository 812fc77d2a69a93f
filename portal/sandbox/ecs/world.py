"""What a rollout needs from the rest of the sandbox; tests give one of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from portal.sandbox.ecs.pace import Pace
from portal.sandbox.ecs.state import Revision, ServiceState
from portal.sandbox.ecs.timeline import Fate


@dataclass(frozen=True)
class Place:
    """Where a task gets its network interface."""

    subnet: str = ""
    address: str = ""
    zone: str = ""


class World(Protocol):
    """Images, faults, addresses, alarms and listener rules around the services of one account and region."""

    @property
    def pace(self) -> Pace:
        """How fast things go now."""

    def fate(self, state: ServiceState, revision: Revision, *, first: bool) -> Fate:
        """What will become of a task of that revision that starts now."""

    def switched(self, state: ServiceState) -> tuple[str, float]:
        """The fault switched on at the service, and since when; ("", 0) for none."""

    def place(self, state: ServiceState, subnets: Sequence[str]) -> Place | None:
        """A free address for one more task; None when the subnets have none."""

    def firing(self, names: Sequence[str]) -> Mapping[str, float]:
        """Those of the alarms that are in ALARM, and since when."""

    def sound(self, state: ServiceState, at: float) -> list[str]:
        """Set the service's alarms to ALARM; which ones."""

    def calm(self, names: Sequence[str]) -> None:
        """Set those alarms back to OK."""

    def weigh(self, rule: str, weights: Mapping[str, int]) -> None:
        """Give a listener rule's target groups these weights."""
