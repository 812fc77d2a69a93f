"""Subnets: how many addresses they still have for tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from portal.aws.sessions import AccountAccess, pages

# A filter takes at most 200 values.
FILTER_VALUES: Final = 200


def free_addresses(access: AccountAccess, subnet_ids: Iterable[str]) -> dict[str, int]:
    """subnet -> free IPv4 addresses; a subnet that is not there is absent. Raises AwsError."""
    ids = sorted(set(subnet_ids))
    found: dict[str, int] = {}
    for start in range(0, len(ids), FILTER_VALUES):
        wanted = {"Name": "subnet-id", "Values": ids[start : start + FILTER_VALUES]}
        for page in pages(access, "ec2", "describe_subnets", Filters=[wanted]):
            found |= {row["SubnetId"]: int(row["AvailableIpAddressCount"]) for row in page["Subnets"]}
    return found
