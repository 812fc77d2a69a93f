"""Target groups of load balancers: how their targets are."""

from __future__ import annotations

from typing import Any

from portal.aws.sessions import AccountAccess, call


def target_health(access: AccountAccess, target_group_arn: str) -> list[dict[str, Any]]:
    """Every target of the group with its TargetHealth (State, Reason, Description). Raises AwsError."""
    answer = call(access, "elbv2", "describe_target_health", TargetGroupArn=target_group_arn)
    found: list[dict[str, Any]] = answer.get("TargetHealthDescriptions", [])
    return found
