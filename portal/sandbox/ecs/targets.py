"""The targets that services' tasks are in a target group, and how healthy they are."""

from __future__ import annotations

from typing import Any

from moto.core.utils import unix_time
from moto.elbv2.models import FakeHealthStatus

from portal.sandbox.ecs import services, timeline


class TaskTarget(FakeHealthStatus):
    """A task as a target; ECS registers it with its zone."""

    def __init__(self, zone: str, *args: Any) -> None:
        super().__init__(*args)
        self._zone = zone

    @property
    def target(self) -> dict[str, str]:
        """The target as DescribeTargetHealth says it."""
        return super().target | ({"AvailabilityZone": self._zone} if self._zone else {})


def of_group(account: str, region: str, group: Any) -> list[TaskTarget]:
    """Every task of a service that is a target in that group, as it is now."""
    found = []
    for state in services.catch_up(account, region):
        for task in state.tasks.values():
            seen = timeline.target_state(task, unix_time())
            for arn, port in task.groups:
                if arn == group.arn and seen is not None and task.address:
                    health, reason, words = seen
                    check = group.health_check_port
                    row = (task.address, port or group.port, check, health, reason or None, words or None)
                    found.append(TaskTarget(task.zone, *row))
    return found
