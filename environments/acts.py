"""The frame of every act: one transaction for deed and record, and a record of its own for a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from environments.models import Environment, Tenant
from environments.permissions import actor, tenant_of
from portal.accounts.principals import Principal
from portal.audit import Target, record_refusal
from portal.core.errors import Conflict, NotAllowed, StaleState


@contextmanager
def acting(by: Principal, place: Environment | Tenant, *, action: str, target: Target) -> Iterator[None]:
    """Run an act in one transaction; when it is refused, write that down after the rollback and raise on.

    Wrong input is no refusal: it is the form's conversation with its user, not an attempt at the act.
    """
    try:
        with transaction.atomic():
            yield
    except (NotAllowed, StaleState, Conflict) as refused:
        record_refusal(
            actor=actor(by, place),
            action=action,
            target=target,
            tenant=tenant_of(place).ref,
            environment=place.slug if isinstance(place, Environment) else "",
            reason=refused.message,
        )
        raise
