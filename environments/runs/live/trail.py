"""Who added an extra: the newest event of CloudTrail that asked for exactly this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from environments.runs.live.found import Extra, Reach
from environments.runs.live.rules import Rule, rule
from portal.aws import cloudtrail
from portal.aws.cloudtrail import TrailEvent
from portal.aws.errors import AwsError

# what -> names of the events that may have done it. S3's differ between CloudTrail and the API.
EVENTS: Final[Mapping[str, frozenset[str]]] = {
    "rule": frozenset(
        {"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules"}
    ),
    "managed_policy": frozenset({"AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"}),
    "inline_policy": frozenset({"PutRolePolicy", "PutUserPolicy", "PutGroupPolicy"}),
    "bucket_policy": frozenset({"PutBucketPolicy"}),
    "bucket_acl": frozenset({"PutBucketAcl"}),
    "block": frozenset(
        {
            "PutBucketPublicAccessBlock",
            "DeleteBucketPublicAccessBlock",
            "PutPublicAccessBlock",
            "DeletePublicAccessBlock",
        }
    ),
    "database": frozenset({"ModifyDBInstance", "CreateDBInstance"}),
}


@dataclass(frozen=True, slots=True)
class Adder:
    """Who and when; `unknown` says why not, when nobody can be named."""

    who: str = ""
    at: datetime | None = None
    arn: str = ""
    address: str = ""
    unknown: str = ""


# Why nobody can be named, beside an error of AWS in its own words.
TELLS_NOTHING: Final = "nothing"


def added_by(extra: Extra, reach: Reach) -> Adder:
    """Ask CloudTrail; never raises for what AWS refuses: an extra is shown with or without its author."""
    region = str(extra.detail["region"])
    try:
        for event in cloudtrail.events_about(
            reach(region), extra.resource_id, EVENTS[str(extra.detail["what"])]
        ):
            if did(event, extra):
                return Adder(event.who, event.at, event.arn, event.address)
    except AwsError as refused:
        return Adder(unknown=f"{refused.message} {refused.hint}".strip())
    return Adder(unknown=TELLS_NOTHING)


def did(event: TrailEvent, extra: Extra) -> bool:
    """Whether the event asked for this extra. Of two calls on one resource only one is the right one."""
    detail = extra.detail
    match detail["what"]:
        case "rule":
            return _opened(event, extra)
        case "managed_policy":
            return bool(event.asked.get("policyArn") == detail["arn"]) and _on(event, extra)
        case "inline_policy":
            return bool(event.asked.get("policyName") == detail["name"]) and _on(event, extra)
        case "database":
            return event.asked.get("publiclyAccessible") is True
    return bool(event.asked.get("bucketName", extra.resource_id) == extra.resource_id)


def _on(event: TrailEvent, extra: Extra) -> bool:
    return bool(event.asked.get(f"{extra.detail['principal']}Name") == extra.resource_id)


def _opened(event: TrailEvent, extra: Extra) -> bool:
    """By the rule's id where the answer names it, else by what was asked for."""
    answered = _items(event.answered.get("securityGroupRuleSet"))
    if any(row.get("securityGroupRuleId") == extra.detail["rule_id"] for row in answered):
        return True
    if event.name == "ModifySecurityGroupRules":
        return extra.detail["rule_id"] in str(event.asked)
    egress = event.name == "AuthorizeSecurityGroupEgress"
    wanted = rule(
        extra.resource_id,
        extra.detail["protocol"],
        extra.detail["from_port"],
        extra.detail["to_port"],
        extra.detail["source"],
        egress=bool(extra.detail["egress"]),
    )
    return wanted in set(_asked_rules(event.asked, extra.resource_id, egress=egress))


def _asked_rules(asked: Mapping[str, Any], group: str, *, egress: bool) -> Iterator[Rule]:
    for one in [asked, *_items(asked.get("ipPermissions"))]:
        sources = [one.get("cidrIp"), one.get("cidrIpv6")]
        sources += [row.get("cidrIp") for row in _items(one.get("ipRanges"))]
        sources += [row.get("cidrIpv6") for row in _items(one.get("ipv6Ranges"))]
        sources += [row.get("prefixListId") for row in _items(one.get("prefixListIds"))]
        sources += [row.get("groupId") for row in _items(one.get("groups"))]
        for source in filter(None, sources):
            yield rule(
                group, one.get("ipProtocol"), one.get("fromPort"), one.get("toPort"), source, egress=egress
            )


def _items(value: Any) -> list[Mapping[str, Any]]:
    found = value.get("items") if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
