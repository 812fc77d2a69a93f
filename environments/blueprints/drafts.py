"""Secrets typed into a form that was refused: kept encrypted for an hour, so that nobody types them twice."""

from __future__ import annotations

from datetime import timedelta

from environments.blueprints.exact import Value, storable
from environments.blueprints.models import Draft
from environments.models import Environment
from portal.accounts.models import User
from portal.core.clock import now

LIFETIME = timedelta(hours=1)


def kept_secrets(user: User, environment: Environment) -> dict[str, Value]:
    """name -> value of what this person typed for this environment within the last hour."""
    found = Draft.objects.filter(user=user, environment=environment, expires_at__gt=now()).first()
    return dict(found.content) if found else {}


def keep_secrets(user: User, environment: Environment, secrets: dict[str, Value]) -> None:
    """Replace what is kept; nothing to keep removes it."""
    if not secrets:
        forget_secrets(user, environment)
        return
    Draft.objects.update_or_create(
        user=user,
        environment=environment,
        defaults={"content": storable(secrets), "expires_at": now() + LIFETIME},
    )


def forget_secrets(user: User, environment: Environment) -> None:
    """Called when the definition was saved."""
    Draft.objects.filter(user=user, environment=environment).delete()


def sweep_drafts() -> int:
    """Remove what is past its hour; the scheduler calls this."""
    deleted, _by_model = Draft.objects.filter(expires_at__lte=now()).delete()
    return deleted
