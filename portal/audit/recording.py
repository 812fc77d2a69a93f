"""Writing audit events: the only place that does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections, router, transaction
from django.db.models import F

from portal.audit.names import Actor, Target, TenantRef
from portal.core.clock import now
from portal.core.redaction import mask_mapping, mask_patterns

if TYPE_CHECKING:
    from portal.audit.models import AuditEvent, ChainHead

# A log of acts, not an archive of documents: longer texts are cut and say so.
LONGEST_TEXT = 20_000


class NotInTransaction(RuntimeError):
    """`record` was called outside the transaction of the act it records."""


def record(
    *,
    actor: Actor,
    action: str,
    target: Target,
    tenant: TenantRef | None = None,
    environment: str = "",
    outcome: str = "done",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    detail: str = "",
) -> AuditEvent:
    """Append one event to the tenant's chain (or the portal's), inside the transaction of the act.

    `action` is a dotted verb ("change.approve"); values of `before` and `after` under keys that look
    secret are masked. Raises NotInTransaction outside `transaction.atomic`, ValueError for an unknown
    outcome or a tenant named like the portal's own chain, and whatever the database says when the event
    cannot be written: then the act must not happen either.
    """
    # The package is imported while apps load: its models are not there yet.
    from portal.audit.models import PORTAL_CHAIN, AuditEvent, Outcome

    if not connections[router.db_for_write(AuditEvent)].in_atomic_block:
        raise NotInTransaction(f"{action} must be recorded inside the transaction of the act")
    if outcome not in Outcome.values:
        raise ValueError(f"{outcome} is not an outcome")
    if tenant is not None and tenant.id in ("", PORTAL_CHAIN):
        raise ValueError(f"A tenant cannot be named {tenant.id!r}: that is no chain of its own")
    head = _advance(tenant.id if tenant else PORTAL_CHAIN)
    event = AuditEvent(
        chain=head.chain,
        sequence=head.sequence,
        # Taken under the lock of the head, so time runs forward along a chain.
        at=now(),
        actor_id=_id(actor.id),
        actor_name=_text(actor.name),
        actor_kind=actor.kind,
        actor_roles=[_text(role) for role in actor.roles],
        address=_id(actor.address),
        request_id=_id(actor.request_id),
        action=_id(action),
        target_type=_id(target.type),
        target_id=_id(target.id),
        target_name=_text(target.name),
        tenant_id=tenant.id if tenant else "",
        tenant_name=_text(tenant.name) if tenant else "",
        environment=_id(environment),
        outcome=outcome,
        before=_content(before),
        after=_content(after),
        detail=_text(detail),
        previous_hash=head.hash,
    )
    event.hash = event.computed_hash()
    event.save(force_insert=True)
    head.hash = event.hash
    head.save(update_fields=["hash"])
    return event


def record_refusal(
    *,
    actor: Actor,
    action: str,
    target: Target,
    tenant: TenantRef | None = None,
    environment: str = "",
    reason: str,
) -> AuditEvent:
    """Record that an act was refused, in a transaction of its own.

    Call it after the act's `atomic` block has rolled back. Raises RuntimeError inside another
    transaction: the record would roll back together with the act it tells about.
    """
    with transaction.atomic(durable=True):
        return record(
            actor=actor,
            action=action,
            target=target,
            tenant=tenant,
            environment=environment,
            outcome="refused",
            detail=reason,
        )


def _advance(chain: str) -> ChainHead:
    """The head, moved one place and locked until the transaction ends; `hash` is still the previous one."""
    from portal.audit.models import ChainHead

    # Update first, then read: the update takes the row lock that a read would not.
    if not ChainHead.objects.filter(pk=chain).update(sequence=F("sequence") + 1):
        ChainHead.objects.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
        ChainHead.objects.filter(pk=chain).update(sequence=F("sequence") + 1)
    return ChainHead.objects.get(pk=chain)


def _clean(text: str) -> str:
    """Text any database takes: without NUL and half characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _text(text: object) -> str:
    whole = _clean(mask_patterns(str(text)))
    return whole if len(whole) <= LONGEST_TEXT else f"{whole[:LONGEST_TEXT]}... ({len(whole)} characters)"


def _id(text: object) -> str:
    from portal.audit.models import ID_LENGTH

    return _clean(str(text))[:ID_LENGTH]


def _content(values: Mapping[str, Any] | None) -> Any:
    """Masked and made storable; None stays None."""
    return None if values is None else _storable(mask_mapping(values))


def _storable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_clean(str(key)): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    # What JSON has no form for is told as text: an act must not fail because of how it is described.
    exact = value is None or isinstance(value, bool | int | datetime | date | Decimal | UUID)
    return value if exact or (isinstance(value, float) and isfinite(value)) else _text(value)
