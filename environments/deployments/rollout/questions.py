"""The questions of one look at a rollout, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from environments.deployments.models import Act, DeploymentPart
from environments.deployments.rollout import pacing, recognising, seeing
from portal.aws import ecs, target_groups
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

# So often ECS is asked for its record of the deployment before the service's own list must do.
RECORD_TRIES: Final = 6
NOT_THERE: Final = frozenset({"TargetGroupNotFound"})


@dataclass
class Asking:
    """One look's questions to AWS. `watch` is the rollout's bookkeeping; its "calls" grow with each question."""

    access: AccountAccess
    part: DeploymentPart
    watch: dict[str, Any]

    def spend(self, calls: int) -> None:
        self.watch["calls"] = int(self.watch.get("calls") or 0) + calls

    def record(self) -> tuple[dict[str, Any], str]:
        """(ECS's record of our deployment, its ARN); ({}, "") where there is none (yet)."""
        arn = self.part.service_deployment_arn
        if not arn and not self._gave_up():
            self.watch["record_tries"] = int(self.watch.get("record_tries") or 0) + 1
            before = str(self.watch.get("before") or "")
            arn, calls = recognising.record_of(self.access, self.part, before)
            self.spend(calls)
        if not arn:
            return {}, ""
        found = ecs.describe_service_deployments(self.access, [arn])
        self.spend(1)
        return (found[0] if found else {}), arn

    def service(self) -> dict[str, Any]:
        """The service; {"status": "MISSING"} when it is gone."""
        found = ecs.describe_services(self.access, self.part.cluster_arn, [self.part.service_arn])
        self.spend(1)
        return found[0] if found else {"status": "MISSING"}

    def tasks_and_targets(self, service: Mapping[str, Any]) -> dict[str, Any]:
        """Each running task and each target of its target groups, as progress."""
        part = self.part
        arns = ecs.list_tasks(self.access, part.cluster_arn, part.service, "RUNNING")
        tasks = ecs.describe_tasks(self.access, part.cluster_arn, arns)
        pages = -(-len(arns) // 100)
        self.spend(max(1, pages) + pages)
        groups: dict[str, list[dict[str, Any]]] = {}
        for arn in _target_groups(service):
            self.spend(1)
            try:
                groups[arn] = target_groups.target_health(self.access, arn)
            except AwsError as refused:
                if refused.code not in NOT_THERE:
                    raise
        self.watch["loop"] = pacing.loop_cost(len(arns), len(_target_groups(service)))
        return seeing.tasks(part, tasks) | seeing.targets(part, groups, tasks)

    def _gave_up(self) -> bool:
        scaled = self.part.deployment.act == Act.SCALE
        return scaled or int(self.watch.get("record_tries") or 0) >= RECORD_TRIES


def _target_groups(service: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for balancer in service.get("loadBalancers", []):
        advanced = balancer.get("advancedConfiguration") or {}
        for arn in (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")):
            if arn and arn not in found:
                found.append(str(arn))
    return found
