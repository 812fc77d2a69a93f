"""A run's own sign-in to the state backend: user "CHANGE.FENCE", a random password, its hash stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from environments.changes.models import Change
from environments.runs.models import RunCredential


@dataclass(frozen=True)
class IssuedCredential:
    username: str
    password: str


def issue(change: Change, *, fence: int, may_write: bool) -> IssuedCredential:
    """A new credential for this change and fence; an earlier one of the same fence ends."""
    revoke(change, fence=fence)
    password = secrets.token_urlsafe(32)
    RunCredential.objects.create(change=change, fence=fence, digest=_digest(password), may_write=may_write)
    return IssuedCredential(f"{change.uuid}.{fence}", password)


def revoke(change: Change, *, fence: int) -> None:
    RunCredential.objects.filter(change=change, fence=fence, revoked_at=None).update(
        revoked_at=timezone.now()
    )


def check(username: str, password: str) -> RunCredential | None:
    """The credential these words open; None when they open nothing."""
    word, _dot, fence = username.rpartition(".")
    try:
        uuid = UUID(word)
    except ValueError:
        return None
    if not fence.isdecimal():
        return None
    rows = RunCredential.objects.filter(change__uuid=uuid, fence=int(fence), revoked_at=None)
    found = rows.select_related("change__environment__tenant").first()
    if found is None or not hmac.compare_digest(found.digest, _digest(password)):
        return None
    return found


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
