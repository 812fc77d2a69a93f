"""IAM: simulating what a role's policies allow. A statement's condition counts as not met, its keys as missing."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import Role
from moto.iam.responses import IamResponse

from portal.sandbox.patching import add

Statement = Mapping[str, Any]


@add(IamResponse)
def simulate_principal_policy(self: IamResponse) -> ActionResult:
    """A decision for every action and resource, from the role's own and attached policies and its boundary."""
    arn = str(self._get_param("PolicySourceArn"))
    role = self.backend.get_role_by_arn(arn)
    own = list(_statements(self, role))
    boundary = role.permissions_boundary_arn
    limit = list(_of_managed(self, boundary)) if boundary else None
    results = [
        _result(own, limit, action, resource)
        for action in self._get_param("ActionNames") or []
        for resource in self._get_param("ResourceArns") or ["*"]
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _result(
    own: list[Statement], limit: list[Statement] | None, action: str, resource: str
) -> dict[str, Any]:
    decision, missing = _decide(own, action, resource)
    if limit is not None and decision == "allowed":
        decision, missing = _decide(limit, action, resource)
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        "MatchedStatements": [],
        "MissingContextValues": sorted(missing),
    }


def _decide(statements: list[Statement], action: str, resource: str) -> tuple[str, set[str]]:
    decision, missing = "implicitDeny", set[str]()
    for one in statements:
        if not _concerns(one, "Action", action) or not _concerns(one, "Resource", resource):
            continue
        if one.get("Condition"):
            missing |= {key for test in one["Condition"].values() for key in test}
        elif one["Effect"] == "Deny":
            return "explicitDeny", set()
        else:
            decision = "allowed"
    return decision, missing


def _concerns(statement: Statement, element: str, value: str) -> bool:
    if f"Not{element}" in statement:
        return not _any(statement[f"Not{element}"], value)
    return _any(statement.get(element, []), value)


def _any(patterns: Any, value: str) -> bool:
    return any(_like(one, value) for one in ([patterns] if isinstance(patterns, str) else patterns))


def _like(pattern: str, value: str) -> bool:
    # As IAM has it: * is any text, ? any character; actions are the same in any case.
    wanted = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wanted, value, re.IGNORECASE | re.DOTALL) is not None


def _statements(response: IamResponse, role: Role) -> Iterator[Statement]:
    for document in role.policies.values():
        yield from _read(document)
    for arn in role.managed_policies:
        yield from _of_managed(response, arn)


def _of_managed(response: IamResponse, arn: str) -> Iterator[Statement]:
    policy = response.backend.get_policy(arn)
    for version in policy.versions:
        if version.is_default:
            yield from _read(version.document)


def _read(document: str) -> list[Statement]:
    found = json.loads(document)["Statement"]
    return [found] if isinstance(found, dict) else list(found)
