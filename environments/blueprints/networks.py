"""Terraform's CIDR functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

from environments.blueprints.exact import Value
from environments.blueprints.operands import Fault, Unchecked, text, whole

Network = IPv4Network | IPv6Network


def network(value: Value) -> Network:
    """The network of a CIDR text, host bits masked away as Terraform does; Fault when it is none."""
    written = text(value)
    address, slash, prefix = written.partition("/")
    if not slash or not re.fullmatch(r"\d{1,3}", prefix, re.ASCII):
        raise Fault("not a CIDR block")
    if re.search(r"(^|\.)0\d", address) or (":" in address and "." in address) or "%" in address:
        # Terraform reads leading zeros and embedded IPv4 addresses by rules of its own.
        raise Unchecked("this way to write an address")
    if len(prefix) > 1 and prefix.startswith("0"):
        raise Unchecked("prefix length with a leading zero")
    try:
        return ip_network(written, strict=False)
    except ValueError as error:
        raise Fault("not a CIDR block") from error


def cidrhost(prefix: Value, host: Value) -> str:
    """The address of a host number; negative numbers count from the end."""
    block, place = network(prefix), whole(host)
    size = block.num_addresses
    if place >= size or place < -size:
        raise Fault("the block has no such host")
    return str(block[place if place >= 0 else size + place])


def cidrnetmask(prefix: Value) -> str:
    """The netmask of an IPv4 block."""
    block = network(prefix)
    if isinstance(block, IPv6Network):
        raise Fault("IPv6 has no netmask")
    return str(block.netmask)


def cidrsubnet(prefix: Value, newbits: Value, netnum: Value) -> str:
    """The subnet with this number."""
    block, bits, place = network(prefix), whole(newbits), whole(netnum)
    length = block.prefixlen + bits
    if bits < 0 or place < 0:
        raise Unchecked("negative subnet")
    if length > block.max_prefixlen or place >= 1 << bits:
        raise Fault("the block is too small")
    first = int(block.network_address) + (place << (block.max_prefixlen - length))
    return str(type(block)((first, length)))


NETWORK_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "cidrhost": cidrhost,
    "cidrnetmask": cidrnetmask,
    "cidrsubnet": cidrsubnet,
}
