"""Who, what and where of an audit event, as id and text: they outlive the rows they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "token", "system", "worker"]


@dataclass(frozen=True)
class Actor:
    """Who acted: `kind` says whether in person, through an API token, or as the portal itself."""

    id: str
    name: str
    kind: Kind
    roles: tuple[str, ...] = ()
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Target:
    """What was acted upon."""

    type: str
    id: str
    name: str = ""


@dataclass(frozen=True)
class TenantRef:
    """Whose it is; `id` is the tenant's slug."""

    id: str
    name: str = ""
