"""Application Auto Scaling: between which counts of tasks a service moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from portal.aws.sessions import AccountAccess, call

NAMESPACE: Final = "ecs"
DIMENSION: Final = "ecs:service:DesiredCount"


@dataclass(frozen=True)
class Scaling:
    """How many tasks automatic scaling keeps at least and at most."""

    minimum: int
    maximum: int


def scaling_of(access: AccountAccess, cluster_name: str, service_name: str) -> Scaling | None:
    """A service's bounds; None where it does not scale by itself. Raises AwsError."""
    answer = call(
        access,
        "application-autoscaling",
        "describe_scalable_targets",
        ServiceNamespace=NAMESPACE,
        ResourceIds=[f"service/{cluster_name}/{service_name}"],
        ScalableDimension=DIMENSION,
    )
    for target in answer.get("ScalableTargets", []):
        return Scaling(int(target["MinCapacity"]), int(target["MaxCapacity"]))
    return None


def set_scaling(
    access: AccountAccess, cluster_name: str, service_name: str, minimum: int, maximum: int
) -> None:
    """Move the bounds of a service that scales by itself; its role and policies stay. Raises AwsError."""
    call(
        access,
        "application-autoscaling",
        "register_scalable_target",
        ServiceNamespace=NAMESPACE,
        ResourceId=f"service/{cluster_name}/{service_name}",
        ScalableDimension=DIMENSION,
        MinCapacity=minimum,
        MaxCapacity=maximum,
    )
