"""Policies on managed roles, users and groups that no state has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from environments.runs.live.found import Extra, Landscape, Managed, Reach
from environments.runs.live.known_policies import KINDS, known_of
from environments.runs.live.risk import policy_reason
from environments.runs.models import LiveExtra
from portal.aws import iam
from portal.aws.errors import AwsError
from portal.aws.iam import Carried
from portal.core.canonical import digest

# Where IAM's calls are found in CloudTrail, and IAM itself answers for all regions.
REGION: Final = "us-east-1"


def extras(landscape: Landscape, reach: Reach) -> Iterator[Extra]:
    """Managed and inline policies that a managed role, user or group carries and no state knows. Raises AwsError."""
    principals = [(KINDS[one.type], one) for one in landscape.of(*KINDS) if one.values.get("name")]
    known = known_of(landscape) if principals else frozenset()
    for kind, resource in principals:
        name = str(resource.values["name"])
        for policy in iam.carried_policies(reach(REGION), kind, name) or []:
            if (kind, name, policy.arn or f"inline:{policy.name}") not in known:
                yield _extra(resource, kind, name, policy, reach)


def _extra(resource: Managed, kind: str, name: str, policy: Carried, reach: Reach) -> Extra:
    document = document_of(kind, name, policy, reach)
    return Extra(
        kind=LiveExtra.Kind.ATTACHMENT,
        address=resource.address,
        resource_id=name,
        key=key_of(policy, document),
        reason=policy_reason(policy.name, document),
        detail={
            "what": "managed_policy" if policy.arn else "inline_policy",
            "region": REGION,
            "principal": kind,
            "name": policy.name,
            "arn": policy.arn,
            "document": document,
        },
    )


def key_of(policy: Carried, document: dict[str, Any] | None) -> str:
    """The policy in one line. What people can rewrite is named with its content: other content is another extra."""
    name = policy.arn or f"inline policy {policy.name}"
    if policy.arn.partition("::")[2].startswith("aws:") or document is None:
        return name
    return f"{name} ({digest(document)[:12]})"


def document_of(kind: str, name: str, policy: Carried, reach: Reach) -> dict[str, Any] | None:
    """What the policy says; None when it went away meanwhile. Raises AwsError."""
    try:
        if policy.arn:
            return iam.managed_document(reach(REGION), policy.arn)
        return iam.inline_document(reach(REGION), kind, name, policy.name)
    except AwsError as error:
        if error.code == iam.GONE:
            return None
        raise
