"""Who acts: a person at a page, a person's token, a worker, or the portal itself.

Every action takes a `Principal` as argument; nothing looks the actor up behind the caller's back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from portal.accounts.models import ApiToken, User
from portal.audit import Actor

Kind = Literal["user", "token", "system", "worker"]
PORTAL_ADMIN_ROLE = "portal-admin"


@dataclass(frozen=True)
class Principal:
    """`user` is None for the portal's own acts and for people who have not signed in."""

    user: User | None
    kind: Kind
    address: str = ""
    request_id: str = ""
    token: ApiToken | None = None
    name: str = ""

    @property
    def is_portal_admin(self) -> bool:
        return self.user is not None and self.user.is_active and self.user.is_portal_admin

    def reaches(self, environment_id: str) -> bool:
        """Whether a token narrowed to one environment ("tenant.slug") may touch this one ("": none)."""
        return self.token is None or self.token.environment_id in ("", environment_id)

    def actor(self, roles: Iterable[str] = ()) -> Actor:
        """The principal as the audit log keeps it; `roles` are those held where the act happens."""
        held = tuple(roles) + ((PORTAL_ADMIN_ROLE,) if self.is_portal_admin else ())
        return Actor(
            id=self.user.username if self.user else self.name,
            name=self.name,
            kind=self.kind,
            roles=held,
            address=self.address,
            request_id=self.request_id,
        )


SYSTEM = Principal(None, "system", name="portal")


def worker(name: str) -> Principal:
    """A Celery worker or scheduler process, by its host and process name."""
    return Principal(None, "worker", name=name)


def principal_of(request: HttpRequest | Request) -> Principal:
    """Whoever sent this Django or DRF request, with its address and request id."""
    plain = request._request if isinstance(request, Request) else request
    token = request.auth if isinstance(request, Request) and isinstance(request.auth, ApiToken) else None
    user = request.user if isinstance(request.user, User) else None
    name = str(user) if user else "anonymous"
    return Principal(
        user=user,
        kind="token" if token else "user",
        address=address_of(plain),
        request_id=getattr(plain, "request_id", ""),
        token=token,
        name=f"{name} (token {token.name})" if token else name,
    )


def address_of(request: HttpRequest) -> str:
    """The client's address, believing exactly as many proxies as the settings declare."""
    proxies: int = settings.REST_FRAMEWORK["NUM_PROXIES"]
    header = request.META.get("HTTP_X_FORWARDED_FOR", "")
    forwarded = [part.strip() for part in header.split(",") if part.strip()]
    if proxies and forwarded:
        return str(forwarded[-min(proxies, len(forwarded))])[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]
