"""Addresses of subnets that services' tasks hold; moto counts only those of its own network interfaces."""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.core.utils import unix_time
from moto.ec2.models.subnets import Subnet
from moto.ecs.models import ecs_backends

from portal.sandbox.ecs.state import NAME_ON_SERVICE, ServiceState

_RESERVED = 4  # the first addresses of a subnet belong to AWS, and so does the last
_count: Any = Subnet.available_ip_address_count.fget  # type: ignore[attr-defined]


def taken(account: str, region: str, subnet_id: str, now: float) -> set[str]:
    """The addresses there that tasks hold at that time."""
    backend = ecs_backends[account][region]
    states: list[ServiceState] = [
        vars(service)[NAME_ON_SERVICE]
        for service in list(backend.services.values())
        if NAME_ON_SERVICE in vars(service)
    ]
    return {
        task.address
        for state in states
        for task in state.tasks.values()
        if task.subnet == subnet_id and (task.marks[-1][1] != "STOPPED" or task.marks[-1][0] > now)
    }


def free(subnet: Subnet, now: float) -> str:
    """An address that nobody holds at that time; empty when there is none."""
    held = taken(subnet.ec2_backend.account_id, subnet.ec2_backend.region_name, subnet.id, now)
    if _count(subnet) - len(held) <= 0:
        return ""
    others = {str(address) for address in subnet._subnet_ips} | held
    network = ipaddress.ip_network(subnet.cidr_block)
    numbers = range(_RESERVED, network.num_addresses - 1)
    return next((str(network[at]) for at in numbers if str(network[at]) not in others), "")


def _available(subnet: Subnet) -> int:
    backend = subnet.ec2_backend
    held = taken(backend.account_id, backend.region_name, subnet.id, unix_time())
    return int(_count(subnet)) - len(held)


Subnet.available_ip_address_count = property(_available)  # type: ignore[assignment]
