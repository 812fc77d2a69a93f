"""What a role may do, as IAM itself judges it. Policies on the other side (of a repository, a key) are not in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

ALLOWED: Final = "allowed"
EXPLICIT_DENY: Final = "explicitDeny"
IMPLICIT_DENY: Final = "implicitDeny"
# A statement that would decide it has a condition on what a simulation does not know.
UNJUDGED: Final = "unjudged"
GONE: Final = "NoSuchEntity"
# SimulatePrincipalPolicy takes so many at once without a complaint about the length of its answer.
RESOURCES_PER_CALL: Final = 50


def decisions(
    access: AccountAccess, role_arn: str, actions: Sequence[str], resources: Sequence[str]
) -> dict[tuple[str, str], str]:
    """(action, resource) -> allowed, implicitDeny, explicitDeny or unjudged, for every pair. Raises AwsError.

    Takes in permission boundaries and, where AWS tells of them, service control policies.
    """
    found: dict[tuple[str, str], str] = {}
    for start in range(0, len(resources), RESOURCES_PER_CALL):
        wanted: dict[str, Any] = {
            "PolicySourceArn": role_arn,
            "ActionNames": list(actions),
            "ResourceArns": list(resources[start : start + RESOURCES_PER_CALL]),
        }
        while True:
            answer = call(access, "iam", "simulate_principal_policy", **wanted)
            for row in answer.get("EvaluationResults", []):
                found |= _of_row(row)
            if not answer.get("IsTruncated"):
                break
            wanted["Marker"] = answer["Marker"]
    return found


def trusted_services(access: AccountAccess, role_arn: str) -> set[str] | None:
    """The services that may assume a role ("*": anybody); None when there is no such role. Raises AwsError."""
    try:
        role = call(access, "iam", "get_role", RoleName=role_arn.rpartition("/")[2])["Role"]
    except AwsError as error:
        if error.code == GONE:
            return None
        raise
    document = role.get("AssumeRolePolicyDocument") or {}
    said = json.loads(document) if isinstance(document, str) else document
    statements = said.get("Statement") or []
    found: set[str] = set()
    for one in [statements] if isinstance(statements, dict) else statements:
        if one.get("Effect") == "Allow":
            found |= _services(one.get("Principal"))
    return found


def _of_row(row: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    action = str(row["EvalActionName"])
    found = {(action, str(row.get("EvalResourceName") or "*")): _decision(row, "EvalDecision")}
    for one in row.get("ResourceSpecificResults") or []:
        found[(action, str(one["EvalResourceName"]))] = _decision(one, "EvalResourceDecision")
    return found


def _decision(row: Mapping[str, Any], name: str) -> str:
    said = str(row[name])
    return UNJUDGED if said != ALLOWED and row.get("MissingContextValues") else said


def _services(principal: Any) -> set[str]:
    if principal == "*":
        return {"*"}
    said = principal.get("Service") if isinstance(principal, dict) else None
    return {said} if isinstance(said, str) else set(said or ())
