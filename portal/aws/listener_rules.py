"""Load balancers' listener rules and target groups: which of those named are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

MISSING: Final = {
    "RuleNotFound",
    "RuleNotFoundException",
    "TargetGroupNotFound",
    "TargetGroupNotFoundException",
}


def rules(access: AccountAccess, arns: Iterable[str]) -> dict[str, set[str]]:
    """ARN -> the target groups it forwards to, of those rules that are there. Raises AwsError."""
    found: dict[str, set[str]] = {}
    for row in _described(access, "describe_rules", "RuleArns", "Rules", arns):
        actions: list[dict[str, Any]] = row.get("Actions") or []
        groups = {str(one["TargetGroupArn"]) for one in actions if one.get("TargetGroupArn")}
        for one in actions:
            weighted = (one.get("ForwardConfig") or {}).get("TargetGroups") or []
            groups |= {str(group["TargetGroupArn"]) for group in weighted}
        found[str(row["RuleArn"])] = groups
    return found


def target_groups(access: AccountAccess, arns: Iterable[str]) -> set[str]:
    """Those of these target groups that are there. Raises AwsError."""
    rows = _described(access, "describe_target_groups", "TargetGroupArns", "TargetGroups", arns)
    return {str(row["TargetGroupArn"]) for row in rows}


def _described(
    access: AccountAccess, operation: str, parameter: str, key: str, arns: Iterable[str]
) -> list[dict[str, Any]]:
    """One call for all; one for each where that says that some are missing, without saying which."""
    wanted = sorted(set(arns))
    if not wanted:
        return []
    try:
        found: list[dict[str, Any]] = call(access, "elbv2", operation, **{parameter: wanted}).get(key, [])
    except AwsError as error:
        if error.code not in MISSING:
            raise
        if len(wanted) == 1:
            return []
        return [row for one in wanted for row in _described(access, operation, parameter, key, [one])]
    return found
