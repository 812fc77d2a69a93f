"""IAM: the policies that roles, users and groups carry. IAM is one for all regions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages

GONE: Final = "NoSuchEntity"
# kind of principal -> the name of its parameter
PRINCIPALS: Final[Mapping[str, str]] = {"role": "RoleName", "user": "UserName", "group": "GroupName"}


@dataclass(frozen=True, slots=True)
class Carried:
    """One policy on a role, user or group: a managed one by its ARN, an inline one with its document."""

    name: str
    arn: str = ""


def carried_policies(access: AccountAccess, kind: str, name: str) -> list[Carried] | None:
    """Managed and inline policies of a role, user or group; None when there is no such principal.

    Raises AwsError.
    """
    who = {PRINCIPALS[kind]: name}
    found: list[Carried] = []
    try:
        for page in pages(access, "iam", f"list_attached_{kind}_policies", **who):
            found += [Carried(row["PolicyName"], row["PolicyArn"]) for row in page["AttachedPolicies"]]
        for page in pages(access, "iam", f"list_{kind}_policies", **who):
            found += [Carried(inline) for inline in page["PolicyNames"]]
    except AwsError as error:
        if error.code == GONE:
            return None
        raise
    return found


def inline_document(access: AccountAccess, kind: str, name: str, policy: str) -> dict[str, Any]:
    """The document of an inline policy; raises AwsError (NoSuchEntity when it is not there)."""
    who = {PRINCIPALS[kind]: name}
    return _document(call(access, "iam", f"get_{kind}_policy", **who, PolicyName=policy)["PolicyDocument"])


def managed_document(access: AccountAccess, arn: str) -> dict[str, Any]:
    """The document of a managed policy's version in force; raises AwsError."""
    policy = call(access, "iam", "get_policy", PolicyArn=arn)["Policy"]
    version = policy["DefaultVersionId"]
    answer = call(access, "iam", "get_policy_version", PolicyArn=arn, VersionId=version)
    return _document(answer["PolicyVersion"]["Document"])


def _document(value: Any) -> dict[str, Any]:
    """botocore has read it already; a document that came as text is URL-encoded JSON."""
    if isinstance(value, dict):
        return value
    try:
        read = json.loads(unquote(str(value)))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def take_off(access: AccountAccess, kind: str, name: str, policy: Carried) -> bool:
    """Detach the managed policy, or delete the inline one; False when it was not there. Raises AwsError."""
    who = {PRINCIPALS[kind]: name}
    try:
        if policy.arn:
            call(access, "iam", f"detach_{kind}_policy", **who, PolicyArn=policy.arn)
        else:
            call(access, "iam", f"delete_{kind}_policy", **who, PolicyName=policy.name)
    except AwsError as error:
        if error.code == GONE:
            return False
        raise
    return True
