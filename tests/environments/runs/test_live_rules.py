"""One rule has many spellings: as EC2 lists it, inline in a group, in two kinds of rule resources. All are equal."""

from __future__ import annotations

from typing import Any

import pytest

from environments.runs.live.found import Landscape, Managed
from environments.runs.live.groups import as_rule, known_of
from environments.runs.live.known_policies import known_of as known_policies
from environments.runs.live.risk import lets_anybody_in, policy_reason, rule_reason, score
from environments.runs.live.rules import Rule, inline_rules, known_rules, rule
from portal.aws.ec2 import GroupRule

GROUP, PEER = "sg-0aaa", "sg-0bbb"


def live(
    protocol: str, ports: tuple[int, int], source: str, *, egress: bool = False, words: str = ""
) -> GroupRule:
    return GroupRule("sgr-1", GROUP, egress, protocol, *ports, source, words)


def inline(direction: str = "ingress", **values: Any) -> set[Rule]:
    block = {
        "protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "description": "as written",
        "cidr_blocks": [],
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "security_groups": [],
        "self": False,
        **values,
    }
    return set(inline_rules({"id": GROUP, direction: [block]}, direction, {"by-name": PEER}))


def old(**values: Any) -> set[Rule]:
    """aws_security_group_rule, as its state has it."""
    base = {
        "security_group_id": GROUP,
        "type": "ingress",
        "protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_blocks": None,
        "ipv6_cidr_blocks": None,
        "prefix_list_ids": None,
        "source_security_group_id": None,
        "self": False,
    }
    return set(known_rules("aws_security_group_rule", {**base, **values}))


def new(direction: str = "ingress", **values: Any) -> set[Rule]:
    """aws_vpc_security_group_ingress_rule or _egress_rule."""
    base = {
        "security_group_id": GROUP,
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": None,
        "cidr_ipv6": None,
        "prefix_list_id": None,
        "referenced_security_group_id": None,
    }
    return set(known_rules(f"aws_vpc_security_group_{direction}_rule", {**base, **values}))


# What EC2 has, and every way in which a state may say the same.
SAME = {
    "an address range": (
        live("tcp", (443, 443), "10.0.0.0/8", words="other words"),
        [
            inline(cidr_blocks=["10.0.0.0/8"]),
            old(cidr_blocks=["10.0.0.0/8"]),
            new(cidr_ipv4="10.0.0.0/8"),
        ],
    ),
    "one of several sources, in any order": (
        live("tcp", (443, 443), "10.2.0.0/16"),
        [
            inline(cidr_blocks=["10.1.0.0/16", "10.2.0.0/16"], ipv6_cidr_blocks=["fd00::/8"]),
            old(cidr_blocks=["10.2.0.0/16", "10.1.0.0/16"]),
        ],
    ),
    "IPv6, however it is written": (
        live("tcp", (443, 443), "2001:db8::/32"),
        [
            inline(ipv6_cidr_blocks=["2001:0DB8::/32"]),
            old(ipv6_cidr_blocks=["2001:db8:0:0::/32"]),
            new(cidr_ipv6="2001:DB8::/32"),
        ],
    ),
    "a prefix list": (
        live("tcp", (443, 443), "pl-0123"),
        [
            inline(prefix_list_ids=["pl-0123"]),
            old(prefix_list_ids=["pl-0123"]),
            new(prefix_list_id="pl-0123"),
        ],
    ),
    "a peer group": (
        live("tcp", (443, 443), PEER),
        [
            inline(security_groups=[PEER]),
            inline(security_groups=["by-name"]),
            old(source_security_group_id=PEER),
            new(referenced_security_group_id=PEER),
        ],
    ),
    "a peer group of another account": (
        live("tcp", (443, 443), PEER),
        [
            inline(security_groups=[f"111122223333/{PEER}"]),
            old(source_security_group_id=f"111122223333/{PEER}"),
            new(referenced_security_group_id=f"111122223333/{PEER}"),
        ],
    ),
    "the group itself": (
        live("tcp", (443, 443), GROUP),
        [
            inline(self=True),
            old(self=True),
            old(source_security_group_id=GROUP),
            new(referenced_security_group_id=GROUP),
        ],
    ),
    "all protocols": (
        live("-1", (-1, -1), "10.0.0.0/8"),
        [
            inline(protocol="-1", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8"]),
            inline(protocol="all", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8"]),
            old(protocol="-1", from_port=0, to_port=65535, cidr_blocks=["10.0.0.0/8"]),
            new(ip_protocol="-1", from_port=None, to_port=None, cidr_ipv4="10.0.0.0/8"),
        ],
    ),
    "a protocol by its number": (
        live("udp", (53, 53), "10.0.0.0/8"),
        [
            inline(protocol="17", from_port=53, to_port=53, cidr_blocks=["10.0.0.0/8"]),
            old(protocol="UDP", from_port=53, to_port=53, cidr_blocks=["10.0.0.0/8"]),
            new(ip_protocol="17", from_port=53, to_port=53, cidr_ipv4="10.0.0.0/8"),
        ],
    ),
    "every kind of ICMP": (
        live("icmp", (-1, -1), "10.0.0.0/8"),
        [
            inline(protocol="icmp", from_port=-1, to_port=-1, cidr_blocks=["10.0.0.0/8"]),
            new(ip_protocol="1", from_port=-1, to_port=-1, cidr_ipv4="10.0.0.0/8"),
        ],
    ),
    "a protocol without ports": (
        live("50", (-1, -1), "10.0.0.0/8"),
        [
            inline(protocol="50", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8"]),
            new(ip_protocol="50", from_port=None, to_port=None, cidr_ipv4="10.0.0.0/8"),
        ],
    ),
    "the way out": (
        live("-1", (-1, -1), "0.0.0.0/0", egress=True),
        [
            inline("egress", protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"]),
            old(type="egress", protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"]),
            new("egress", ip_protocol="-1", from_port=None, to_port=None, cidr_ipv4="0.0.0.0/0"),
        ],
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_every_spelling_is_known(name):
    there, spellings = SAME[name]
    for known in spellings:
        assert as_rule(there) in known, known


# What is near and yet another rule.
OTHER = [
    live("tcp", (443, 443), "10.0.0.0/7"),
    live("tcp", (443, 444), "10.0.0.0/8"),
    live("tcp", (442, 443), "10.0.0.0/8"),
    live("udp", (443, 443), "10.0.0.0/8"),
    live("-1", (-1, -1), "10.0.0.0/8"),
    live("tcp", (443, 443), "10.0.0.0/8", egress=True),
    live("tcp", (443, 443), PEER),
    live("tcp", (443, 443), "::/0"),
]


@pytest.mark.parametrize("there", OTHER, ids=str)
def test_what_is_near_is_not_known(there):
    for known in (
        inline(cidr_blocks=["10.0.0.0/8"]),
        old(cidr_blocks=["10.0.0.0/8"]),
        new(cidr_ipv4="10.0.0.0/8"),
    ):
        assert as_rule(there) not in known


def test_a_rule_of_a_neighbour_in_the_account_is_known():
    values = {"security_group_id": GROUP, "ip_protocol": "tcp", "from_port": 1, "to_port": 1}
    neighbour = Managed(
        "aws_vpc_security_group_ingress_rule.x",
        "aws_vpc_security_group_ingress_rule",
        {**values, "cidr_ipv4": "10.0.0.0/8"},
    )
    own = Managed("aws_security_group.g", "aws_security_group", {"id": GROUP})
    there = as_rule(live("tcp", (1, 1), "10.0.0.0/8"))
    assert there not in known_of(Landscape(own=(own,)), {GROUP: own})
    assert there in known_of(Landscape(own=(own,), neighbours=(neighbour,)), {GROUP: own})


@pytest.mark.parametrize(
    ("type_", "values", "known"),
    [
        ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": "arn:x"}, ("role", "r", "arn:x")),
        ("aws_iam_user_policy_attachment", {"user": "u", "policy_arn": "arn:x"}, ("user", "u", "arn:x")),
        ("aws_iam_group_policy_attachment", {"group": "g", "policy_arn": "arn:x"}, ("group", "g", "arn:x")),
        ("aws_iam_policy_attachment", {"roles": ["a", "r"], "policy_arn": "arn:x"}, ("role", "r", "arn:x")),
        ("aws_iam_policy_attachment", {"groups": ["g"], "policy_arn": "arn:x"}, ("group", "g", "arn:x")),
        ("aws_iam_role_policy", {"role": "r", "name": "p"}, ("role", "r", "inline:p")),
        ("aws_iam_user_policy", {"user": "u", "name": "p"}, ("user", "u", "inline:p")),
        (
            "aws_iam_role_policies_exclusive",
            {"role_name": "r", "policy_names": ["p"]},
            ("role", "r", "inline:p"),
        ),
        (
            "aws_iam_role_policy_attachments_exclusive",
            {"role_name": "r", "policy_arns": ["arn:x"]},
            ("role", "r", "arn:x"),
        ),
    ],
)
def test_every_way_to_carry_a_policy_is_known(type_, values, known):
    assert known in known_policies(Landscape(own=(Managed("x.y", type_, values),)))


@pytest.mark.parametrize(
    ("protocol", "ports", "source", "expected"),
    [
        ("-1", (-1, -1), "0.0.0.0/0", "world_everything"),
        ("tcp", (0, 65535), "::/0", "world_everything"),
        ("tcp", (5432, 5432), "0.0.0.0/0", "world_private_port"),
        ("tcp", (5000, 6000), "::/0", "world_private_port"),
        ("tcp", (22, 22), "0.0.0.0/0", "world_private_port"),
        # In two halves it is as wide, and the lower half begins and ends in private addresses.
        ("tcp", (5432, 5432), "0.0.0.0/1", "world_private_port"),
        ("tcp", (5432, 5432), "128.0.0.0/1", "world_private_port"),
        ("tcp", (443, 443), "0.0.0.0/0", "world_web"),
        ("tcp", (8443, 8443), "0.0.0.0/0", "world_port"),
        ("tcp", (5432, 5432), "203.0.113.7/32", "outside"),
        ("tcp", (5432, 5432), "10.1.0.0/16", "inside"),
        ("tcp", (5432, 5432), "fd00::/8", "inside"),
        ("tcp", (5432, 5432), PEER, "inside"),
        ("-1", (-1, -1), PEER, "peer_everything"),
    ],
)
def test_how_bad_a_rule_is(protocol, ports, source, expected):
    assert rule_reason(rule(GROUP, protocol, *ports, source, egress=False)) == expected


def test_the_way_out_is_never_worse_than_the_way_in():
    out = rule(GROUP, "-1", -1, -1, "0.0.0.0/0", egress=True)
    assert score(rule_reason(out)) < score("world_web")


def allowing(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("AdministratorAccess", None, "administrator"),
        ("debug", allowing("*"), "administrator"),
        ("debug", allowing(["s3:GetObject", "*:*"]), "administrator"),
        ("debug", {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "administrator"),
        (
            "debug",
            {"Statement": [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]},
            "administrator",
        ),
        ("debug", allowing("iam:*"), "grants_itself"),
        ("debug", allowing("IAM:AttachRole*"), "grants_itself"),
        ("debug", allowing("iam:PutUserPolicy", "arn:aws:iam::1:user/x"), "grants_itself"),
        ("debug", allowing("s3:*"), "whole_service"),
        ("AmazonS3FullAccess", None, "whole_service"),
        ("debug", allowing("s3:PutObject"), "more_rights"),
        ("debug", allowing(["s3:GetObject", "logs:DescribeLogGroups"]), "reads"),
        ("debug", {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}, "reads"),
    ],
)
def test_how_bad_a_policy_is(name, document, expected):
    assert policy_reason(name, document) == expected


def everybody(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "x", **more}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (everybody(), True),
        (everybody(Principal={"AWS": "*"}), True),
        (everybody(Principal={"AWS": ["arn:aws:iam::1:root", "*"]}), True),
        (everybody(Principal={"AWS": "arn:aws:iam::1:root"}), False),
        (everybody(Effect="Deny"), False),
        # TLS or a prefix keeps nobody out.
        (everybody(Condition={"Bool": {"aws:SecureTransport": "true"}}), True),
        (everybody(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}}), False),
        (everybody(Condition={"StringLike": {"aws:SourceAccount": "*"}}), True),
        (everybody(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}), True),
        (everybody(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), False),
        (everybody(Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}), True),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:*"}, True),
    ],
)
def test_who_a_bucket_policy_lets_in(statement, expected):
    assert lets_anybody_in(statement) is expected
