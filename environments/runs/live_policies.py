"""Policies on managed roles, users and groups that no state has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from environments.runs.live_found import Extra, Landscape, Managed, Reach
from environments.runs.live_risk import policy_reason
from environments.runs.models import LiveExtra
from portal.aws import iam
from portal.aws.errors import AwsError
from portal.aws.iam import Carried
from portal.core.canonical import digest

# Where IAM's calls are found in CloudTrail, and IAM itself answers for all regions.
REGION: Final = "us-east-1"
KINDS: Final = {"aws_iam_role": "role", "aws_iam_user": "user", "aws_iam_group": "group"}
# (kind, principal, ARN or "inline:NAME")
Grip = tuple[str, str, str]


def extras(landscape: Landscape, reach: Reach) -> Iterator[Extra]:
    """Managed and inline policies that a managed role, user or group carries and no state knows. Raises AwsError."""
    principals = [(KINDS[one.type], one) for one in landscape.of(*KINDS) if one.values.get("name")]
    known = known_of(landscape) if principals else frozenset()
    for kind, resource in principals:
        name = str(resource.values["name"])
        for policy in iam.carried_policies(reach(REGION), kind, name) or []:
            if (kind, name, policy.arn or f"inline:{policy.name}") not in known:
                yield _extra(resource, kind, name, policy, reach)


def known_of(landscape: Landscape) -> frozenset[Grip]:
    """Every policy on every principal that a state stands for."""
    found: set[Grip] = set()
    for kind in KINDS.values():
        for one in landscape.everywhere(f"aws_iam_{kind}_policy_attachment"):
            found.add((kind, _text(one, kind), _text(one, "policy_arn")))
        for one in landscape.everywhere(f"aws_iam_{kind}_policy"):
            found.add((kind, _text(one, kind), f"inline:{_text(one, 'name')}"))
        for one in landscape.everywhere(f"aws_iam_{kind}_policies_exclusive"):
            found |= {
                (kind, _text(one, f"{kind}_name"), f"inline:{name}") for name in _all(one, "policy_names")
            }
        for one in landscape.everywhere(f"aws_iam_{kind}_policy_attachments_exclusive"):
            found |= {(kind, _text(one, f"{kind}_name"), arn) for arn in _all(one, "policy_arns")}
        for one in landscape.everywhere("aws_iam_policy_attachment"):
            found |= {(kind, name, _text(one, "policy_arn")) for name in _all(one, f"{kind}s")}
    for role in landscape.of("aws_iam_role"):
        name = _text(role, "name")
        if landscape.configured(role, "managed_policy_arns", unknown=False):
            found |= {("role", name, arn) for arn in _all(role, "managed_policy_arns")}
        if landscape.configured(role, "inline_policy", unknown=False):
            inline = role.values.get("inline_policy") or []
            found |= {("role", name, f"inline:{one.get('name')}") for one in inline}
    return frozenset(found)


def _text(resource: Managed, name: str) -> str:
    return str(resource.values.get(name) or "")


def _all(resource: Managed, name: str) -> list[str]:
    return [str(one) for one in resource.values.get(name) or []]


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
