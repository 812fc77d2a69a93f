"""Security-group rules: what the state knows, one rule a source, to be compared with what EC2 has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

GROUPS: Final = ("aws_security_group", "aws_default_security_group")
RULES: Final = (
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
)
# https://www.iana.org/assignments/protocol-numbers, as far as EC2 has names for them.
_NAMES: Final = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1", "": "-1"}
# Only these have ports (or ICMP types); of the others EC2 keeps whatever was sent.
_WITH_PORTS: Final = frozenset({"tcp", "udp", "icmp", "icmpv6"})
ALL: Final = "-1"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One permission: direction, protocol, ports, one source. Equal rules allow the same."""

    group: str
    egress: bool
    protocol: str
    from_port: int
    to_port: int
    source: str

    @property
    def key(self) -> str:
        """The rule in one line."""
        way = "egress to" if self.egress else "ingress from"
        return f"{way} {self.source} {self.ports}"

    @property
    def ports(self) -> str:
        if self.protocol == ALL:
            return "all protocols"
        if self.protocol not in _WITH_PORTS:
            return f"protocol {self.protocol}"
        if (self.from_port, self.to_port) in ((-1, -1), (0, 65535)):
            return f"{self.protocol} all ports"
        one = self.from_port == self.to_port
        return f"{self.protocol} {self.from_port}" + ("" if one else f"-{self.to_port}")


def rule(
    group: object, protocol: object, from_port: object, to_port: object, source: object, *, egress: bool
) -> Rule:
    """The rule with its parts spelled in the one way that EC2 and every Terraform resource agree on."""
    name = str(protocol if protocol is not None else "").strip().lower()
    name = _NAMES.get(name, name)
    ports = (_port(from_port), _port(to_port)) if name in _WITH_PORTS else (-1, -1)
    return Rule(_group(group), egress, name, *ports, _source(source))


def _port(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return -1


def _group(value: object) -> str:
    """A group's id; peers in another account are written "account/sg-..."."""
    text = str(value or "")
    last = text.rpartition("/")[2]
    return last if last.startswith("sg-") else text


def _source(value: object) -> str:
    text = str(value or "").strip()
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return _group(text)


def known_rules(type_: str, values: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules that one rule resource of the state stands for."""
    group = values.get("security_group_id")
    if type_ == "aws_security_group_rule":
        egress = values.get("type") == "egress"
        peers = [values["source_security_group_id"]] if values.get("source_security_group_id") else []
        for source in _sources(values, group, peers):
            yield rule(
                group,
                values.get("protocol"),
                values.get("from_port"),
                values.get("to_port"),
                source,
                egress=egress,
            )
    elif type_ in RULES:
        names = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
        source = next((values[name] for name in names if values.get(name)), "")
        yield rule(
            group,
            values.get("ip_protocol"),
            values.get("from_port"),
            values.get("to_port"),
            source,
            egress=type_ == "aws_vpc_security_group_egress_rule",
        )


def inline_rules(
    values: Mapping[str, Any], direction: str, names: Mapping[str, str] | None = None
) -> Iterator[Rule]:
    """The rules in a group's own "ingress" or "egress"; `names` turns names of groups into ids."""
    group = values.get("id")
    for one in values.get(direction) or []:
        peers = [(names or {}).get(str(peer), peer) for peer in one.get("security_groups") or []]
        for source in _sources(one, group, peers):
            yield rule(
                group,
                one.get("protocol"),
                one.get("from_port"),
                one.get("to_port"),
                source,
                egress=direction == "egress",
            )


def _sources(values: Mapping[str, Any], group: object, peers: Iterable[object]) -> Iterator[object]:
    for name in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"):
        yield from values.get(name) or []
    yield from peers
    if values.get("self") is True:
        yield group
