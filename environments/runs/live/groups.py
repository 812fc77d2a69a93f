"""Live security-group rules that no state has."""

from __future__ import annotations

from collections.abc import Iterator

from environments.runs.live.found import Extra, Landscape, Managed, Reach
from environments.runs.live.risk import rule_reason
from environments.runs.live.rules import GROUPS, RULES, Rule, inline_rules, known_rules, rule
from environments.runs.models import LiveExtra
from portal.aws import ec2
from portal.aws.ec2 import GroupRule


def extras(landscape: Landscape, reach: Reach) -> Iterator[Extra]:
    """Rules of managed groups that stand in EC2 and in no state. Raises AwsError."""
    groups = {str(one.values["id"]): one for one in landscape.of(*GROUPS) if one.values.get("id")}
    if not groups:
        return
    known = known_of(landscape, groups)
    altered = _rule_ids(landscape)
    for region in sorted({one.region or landscape.region for one in groups.values()}):
        here = [key for key, one in groups.items() if (one.region or landscape.region) == region]
        for live in ec2.security_group_rules(reach(region), here):
            found = as_rule(live)
            if found not in known:
                yield _extra(groups[live.group_id], found, live, region, altered.get(live.id, ""), landscape)


def as_rule(live: GroupRule) -> Rule:
    """A rule of EC2 in the spelling that states are compared in."""
    return rule(live.group_id, live.protocol, live.from_port, live.to_port, live.source, egress=live.egress)


def known_of(landscape: Landscape, groups: dict[str, Managed]) -> frozenset[Rule]:
    """Every rule that a state stands for: rule resources, and what the blueprint writes inside a group."""
    found = {
        one
        for resource in landscape.everywhere(*RULES)
        for one in known_rules(resource.type, resource.values)
    }
    names = {str(one.values.get("name")): key for key, one in groups.items()}
    for group in groups.values():
        for direction in ("ingress", "egress"):
            if landscape.configured(group, direction, unknown=True):
                found |= set(inline_rules(group.values, direction, names))
    return frozenset(found)


def _rule_ids(landscape: Landscape) -> dict[str, str]:
    """EC2's id of a rule -> the address that manages it: altered by hand it is that resource's drift."""
    return {
        str(one.values.get("security_group_rule_id") or one.values.get("id")): one.address
        for one in landscape.own
        if one.type in RULES
    }


def _extra(
    group: Managed, found: Rule, live: GroupRule, region: str, altered: str, landscape: Landscape
) -> Extra:
    block = landscape.sources.resource(group.address) if landscape.sources else None
    direction = "egress" if found.egress else "ingress"
    return Extra(
        kind=LiveExtra.Kind.RULE,
        address=group.address,
        resource_id=live.group_id,
        key=found.key,
        reason=rule_reason(found),
        detail={
            "what": "rule",
            "region": region,
            "rule_id": live.id,
            "egress": found.egress,
            "protocol": found.protocol,
            "from_port": found.from_port,
            "to_port": found.to_port,
            "source": found.source,
            "ports": found.ports,
            "description": live.description,
            "group_name": str(group.values.get("name") or ""),
            "altered": altered,
            "inline": bool(block and block.sets(direction)),
        },
    )
