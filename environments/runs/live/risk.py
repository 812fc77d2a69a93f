"""How bad an extra is: a figure from 0 to 100 and the reason for it. 90 and more wakes people up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from environments.runs.live.rules import ALL, Rule

CRITICAL: Final = 90
HIGH: Final = 60

# reason -> (figure, what a person reads)
REASONS: Final[Mapping[str, tuple[int, Any]]] = {
    "world_everything": (100, _("Every port stands open to the whole internet.")),
    "world_private_port": (
        96,
        _("A port for databases or administration stands open to the whole internet."),
    ),
    "world_port": (75, _("It stands open to the whole internet.")),
    "world_web": (60, _("A web port stands open to the whole internet.")),
    "peer_everything": (55, _("Every port stands open to this source.")),
    "outside": (50, _("It is open to addresses outside the private networks.")),
    "inside": (30, _("It is open to a private network or another group.")),
    "leaves_to_world": (45, _("Everything may leave to the whole internet.")),
    "leaves": (25, _("More may leave than was defined.")),
    "administrator": (100, _("It may do everything in the account.")),
    "grants_itself": (95, _("It may give itself and others any permission.")),
    "whole_service": (70, _("It may do everything in at least one service.")),
    "reads": (40, _("It may read more than was defined.")),
    "more_rights": (55, _("It may do more than was defined.")),
    "public_policy": (95, _("The bucket's policy lets anybody in.")),
    "public_policy_held": (
        50,
        _("The policy would let anybody in; the public-access block still holds it back."),
    ),
    "foreign_policy": (60, _("A bucket policy that the definition does not have.")),
    "public_list_writes": (98, _("Anybody may write into the bucket.")),
    "public_list": (95, _("Anybody may read from the bucket.")),
    "public_list_held": (50, _("The access list would let anybody in; the public-access block ignores it.")),
    "block_off": (65, _("A switch that keeps the bucket closed to the public is off.")),
    "public_database": (92, _("The database has a public address.")),
}

# ssh, telnet, SMB, RDP, WinRM, VNC, Docker, Kubernetes, and the databases, caches, queues people run.
PRIVATE_PORTS: Final = (
    *(22, 23, 135, 139, 445, 1433, 1434, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 4369, 5432, 5433, 5439),
    *(5601, 5672, 5900, 5984, 5985, 5986, 6379, 6380, 6443, 7000, 8086, 9042, 9092, 9200, 9300, 10250, 11211),
    *(15672, 27017, 27018, 27019, 50000),
)
WEB_PORTS: Final = frozenset({80, 443})
# A rule in two halves (0.0.0.0/1 and 128.0.0.0/1) is as wide as one for everybody.
WIDEST: Final = {4: 8, 6: 16}
OWN_NETWORKS: Final = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
ADMINISTRATORS: Final = frozenset({"AdministratorAccess", "AdministratorAccess-Amplify"})
GRANTING: Final = frozenset({"IAMFullAccess", "PowerUserAccess"})
_GIVES_RIGHTS: Final = frozenset(
    {
        "iam:*",
        "iam:attachrolepolicy",
        "iam:attachuserpolicy",
        "iam:attachgrouppolicy",
        "iam:putrolepolicy",
        "iam:putuserpolicy",
        "iam:putgrouppolicy",
        "iam:createpolicyversion",
        "iam:setdefaultpolicyversion",
        "iam:updateassumerolepolicy",
        "iam:createaccesskey",
        "iam:addusertogroup",
    }
)
_READS: Final = ("get", "list", "describe", "head", "lookup", "batchget", "view", "query", "scan", "select")


def score(reason: str) -> int:
    return REASONS[reason][0]


def rule_reason(rule: Rule) -> str:
    """Why a rule matters; ingress from everywhere to what should be private is worst."""
    world, outside = _width(rule.source)
    everything = rule.protocol == ALL or (rule.protocol in ("tcp", "udp") and rule.from_port <= 0)
    everything = everything or (rule.protocol in ("tcp", "udp") and rule.to_port - rule.from_port > 20_000)
    if rule.egress:
        return "leaves_to_world" if world and everything else "leaves"
    if world and everything:
        return "world_everything"
    if world and any(rule.from_port <= port <= rule.to_port for port in PRIVATE_PORTS):
        return "world_private_port"
    if world:
        return "world_web" if {rule.from_port, rule.to_port} <= WEB_PORTS else "world_port"
    if everything:
        return "peer_everything"
    return "outside" if outside else "inside"


def _width(source: str) -> tuple[bool, bool]:
    """(as wide as the internet, outside the private networks) of a source."""
    try:
        network = ip_network(source)
    except ValueError:
        return False, False
    # Not is_private: that looks at both ends only, and calls 0.0.0.0/1 private.
    same = (own for own in OWN_NETWORKS if own.version == network.version)
    if any(network.subnet_of(own) for own in same):  # type: ignore[arg-type]
        return False, False
    return network.prefixlen <= WIDEST[network.version], True


def policy_reason(name: str, document: Mapping[str, Any] | None) -> str:
    """Why a policy matters, by its document where that could be read, else by its name."""
    if name in ADMINISTRATORS:
        return "administrator"
    if name in GRANTING:
        return "grants_itself"
    reasons = [_statement_reason(one) for one in statements(document or {})]
    if not reasons:
        reasons = ["whole_service" if name.endswith("FullAccess") else "more_rights"]
    return max(reasons, key=score)


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = document.get("Statement") or []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]


def texts(value: Any) -> list[str]:
    """One text or a list of them, as policies have both."""
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


def _statement_reason(statement: Mapping[str, Any]) -> str:
    if statement.get("Effect") != "Allow":
        return "reads"
    if "NotAction" in statement:
        return "administrator" if "*" in texts(statement.get("Resource")) else "whole_service"
    actions = [action.lower() for action in texts(statement.get("Action"))]
    everywhere = "*" in texts(statement.get("Resource")) or "NotResource" in statement
    if any(action in ("*", "*:*") for action in actions):
        return "administrator" if everywhere else "whole_service"
    if any(_matches_any(action, _GIVES_RIGHTS) for action in actions):
        return "grants_itself"
    if any(action.endswith(":*") for action in actions):
        return "whole_service"
    return "reads" if all(_reads(action) for action in actions) else "more_rights"


def _matches_any(action: str, wanted: Iterable[str]) -> bool:
    """Whether an action, perhaps with a star in it, takes in one of these."""
    if "*" not in action:
        return action in wanted
    head = action.partition("*")[0]
    return action.startswith("iam:") and any(name.startswith(head) for name in wanted)


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(_READS)


def lets_anybody_in(statement: Mapping[str, Any]) -> bool:
    """Whether a resource policy's statement allows something to everybody, as S3 judges it.

    A condition on who or where from narrows it; one on anything else (a prefix, TLS) does not.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    parts = principal.values() if isinstance(principal, Mapping) else [principal]
    named = [name for part in parts for name in texts(part)]
    if "NotPrincipal" not in statement and "*" not in named:
        return False
    conditions = statement.get("Condition") or {}
    return not any(
        _narrows(operator, str(key).lower(), value)
        for operator, test in conditions.items()
        if isinstance(test, Mapping)
        for key, value in test.items()
    )


_NARROWING: Final = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)


def _narrows(operator: str, key: str, value: Any) -> bool:
    if operator.lower().replace("foranyvalue:", "").startswith(
        ("stringnot", "arnnot", "notip")
    ) or operator.endswith("IfExists"):
        return False
    if key == "aws:sourceip":
        return not any(_width(text)[0] for text in texts(value))
    return key in _NARROWING and "*" not in texts(value)
