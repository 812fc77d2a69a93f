"""What a look at AWS compares: the managed resources as the state has them, and the extras it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from environments.runs.blueprint_sources import Sources
from environments.runs.live.risk import score
from portal.aws.sessions import AccountAccess

# Gives the access to a region of the environment's account.
Reach = Callable[[str], AccountAccess]


@dataclass(frozen=True, slots=True)
class Managed:
    """One resource of a state with its attributes, nothing masked."""

    address: str
    type: str
    values: Mapping[str, Any] = field(repr=False)

    @property
    def region(self) -> str:
        """From its ARN or its attribute; empty when neither says."""
        parts = str(self.values.get("arn") or "").split(":")
        found = parts[3] if len(parts) > 5 else ""
        return found or str(self.values.get("region") or "")

    @property
    def account(self) -> str:
        parts = str(self.values.get("arn") or "").split(":")
        return parts[4] if len(parts) > 5 else ""


@dataclass(frozen=True)
class Landscape:
    """What is known: the environment's own resources, those that its neighbours in the account manage, the blueprint."""

    own: tuple[Managed, ...]
    neighbours: tuple[Managed, ...] = ()
    sources: Sources | None = None
    account_id: str = ""
    region: str = ""
    # Look at this address alone; what is known stays whole.
    only: str = ""

    def of(self, *types: str) -> Iterator[Managed]:
        """Own resources of these types in the environment's account: a provider may reach another one."""
        for one in self.own:
            if one.type in types and one.account in ("", self.account_id) and self.only in ("", one.address):
                yield one

    def everywhere(self, *types: str) -> Iterator[Managed]:
        for one in (*self.own, *self.neighbours):
            if one.type in types:
                yield one

    def configured(self, resource: Managed, name: str, *, unknown: bool) -> bool:
        """Whether the blueprint itself sets this attribute; `unknown` when its block cannot be found.

        What it does not set Terraform fills in from AWS at every refresh: that says nothing about intent.
        """
        block = self.sources.resource(resource.address) if self.sources else None
        return unknown if block is None else block.sets(name)


@dataclass(frozen=True)
class Extra:
    """Something on a managed resource that no state has. `what` and the names in `detail` are this package's own."""

    kind: str
    address: str
    resource_id: str
    key: str
    reason: str
    detail: Mapping[str, Any]

    @property
    def risk(self) -> int:
        return score(self.reason)

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.kind, self.resource_id, self.key[:500]
