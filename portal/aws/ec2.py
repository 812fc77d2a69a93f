"""EC2: the rules of security groups, one source each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages

# A filter takes at most 200 values.
FILTER_VALUES = 200
GONE = {"InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound", "InvalidPermission.NotFound"}


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One rule as EC2 lists it. `source` is a CIDR, a prefix list's id or a group's id; ports are -1 for all."""

    id: str
    group_id: str
    egress: bool
    protocol: str
    from_port: int
    to_port: int
    source: str
    description: str = ""


def security_group_rules(access: AccountAccess, group_ids: Iterable[str]) -> list[GroupRule]:
    """Every rule of these groups; groups that are not there have none. Raises AwsError."""
    ids = sorted(set(group_ids))
    found: list[GroupRule] = []
    for start in range(0, len(ids), FILTER_VALUES):
        wanted = {"Name": "group-id", "Values": ids[start : start + FILTER_VALUES]}
        for page in pages(access, "ec2", "describe_security_group_rules", Filters=[wanted]):
            found += [_rule(row) for row in page["SecurityGroupRules"]]
    return found


def _rule(row: dict[str, Any]) -> GroupRule:
    peer = row.get("ReferencedGroupInfo") or {}
    source = row.get("CidrIpv4") or row.get("CidrIpv6") or row.get("PrefixListId") or peer.get("GroupId")
    from_port, to_port = row.get("FromPort"), row.get("ToPort")
    return GroupRule(
        id=row["SecurityGroupRuleId"],
        group_id=row["GroupId"],
        egress=bool(row["IsEgress"]),
        protocol=str(row["IpProtocol"]),
        from_port=-1 if from_port is None else int(from_port),
        to_port=-1 if to_port is None else int(to_port),
        source=str(source or ""),
        description=str(row.get("Description") or ""),
    )


def revoke_rule(access: AccountAccess, group_id: str, rule_id: str, *, egress: bool) -> bool:
    """Take exactly this rule away; False when it was not there. Raises AwsError."""
    operation = "revoke_security_group_egress" if egress else "revoke_security_group_ingress"
    try:
        call(access, "ec2", operation, GroupId=group_id, SecurityGroupRuleIds=[rule_id])
    except AwsError as error:
        if error.code in GONE:
            return False
        raise
    return True
