"""A request that carries an Idempotency-Key is asked once: its retry gets the change that there is already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError
from django.utils.translation import gettext as _

from environments.changes.models import Change
from environments.deployments.models import RequestKey
from environments.models import Environment
from environments.permissions import refusal, roles_of
from portal.accounts.principals import Principal
from portal.core import clock
from portal.core.canonical import canonical_json
from portal.core.errors import Conflict
from portal.core.keyring import keyring

KEPT: Final = timedelta(hours=24)


def once(
    by: Principal,
    environment: Environment,
    key: str,
    asked: Mapping[str, Any],
    ask: Callable[[Callable[[Change], None]], Change],
) -> tuple[Change, bool]:
    """(the change, whether it was made just now). `ask` makes it, and calls what it gets inside its transaction.

    Raises Conflict when the key was used here for something else within a day, and what `ask` raises.
    """
    may_ask = refusal(roles_of(by.user, environment.tenant), "change.request") is None
    if not key or not may_ask:
        # Whoever may not ask is refused by the act itself, which writes it down.
        return ask(lambda _change: None), True
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    said = keyring().fingerprint(canonical_json(asked), context="deployments.request")
    earlier = _earlier(environment, digest, said)
    if earlier is not None:
        return earlier, False

    def remember(change: Change) -> None:
        RequestKey.objects.filter(environment=environment, created_at__lt=clock.now() - KEPT).delete()
        RequestKey.objects.create(environment=environment, digest=digest, asked=said, change=change)

    try:
        return ask(remember), True
    except IntegrityError:
        # The same request came twice at one moment; the other one made it.
        earlier = _earlier(environment, digest, said)
        if earlier is None:
            raise
        return earlier, False


def _earlier(environment: Environment, digest: str, said: str) -> Change | None:
    kept = RequestKey.objects.filter(
        environment=environment, digest=digest, created_at__gte=clock.now() - KEPT
    )
    row = kept.select_related("change").first()
    if row is None:
        return None
    if row.asked != said:
        raise Conflict(
            _("This Idempotency-Key was used here for another request within the last day."),
            hint=_("Give each deployment a key of its own, such as the pipeline's run and the service."),
        )
    return row.change
