"""Task definitions: what of one can be registered, and whether two say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from portal.core.canonical import digest

# What DescribeTaskDefinition adds and RegisterTaskDefinition does not take.
READ_ONLY: Final = frozenset(
    {
        "compatibilities",
        "deleteRequestedAt",
        "deregisteredAt",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "taskDefinitionArn",
    }
)
# Lists whose order means nothing, by what tells their members apart.
UNORDERED: Final = {"environment": "name", "secrets": "name", "tags": "key", "volumes": "name"}


def registrable(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A described task definition as RegisterTaskDefinition takes it."""
    return {name: value for name, value in definition.items() if name not in READ_ONLY}


def fingerprint(definition: Mapping[str, Any]) -> str:
    """Equal for two task definitions that say the same, described or about to be registered."""
    return digest(_plain(registrable(definition)))


def _plain(value: Any, name: str = "") -> Any:
    """Without what is not said: null and empty lists and objects. An empty text may be a variable's value: it stays."""
    if isinstance(value, Mapping):
        inner = {str(key): _plain(one, str(key)) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None and one != [] and one != {}}
    if isinstance(value, list | tuple):
        members = [_plain(one) for one in value]
        if by := UNORDERED.get(name):
            members.sort(key=lambda one: str(one.get(by)) if isinstance(one, Mapping) else str(one))
        return members
    return value
