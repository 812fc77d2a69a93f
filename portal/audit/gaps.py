"""After an honest restore from a backup: a record that names what was lost."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit import checkpoints
from portal.audit.models import PORTAL_CHAIN, AuditEvent, ChainHead
from portal.audit.names import Actor, Target, TenantRef
from portal.audit.recording import record
from portal.core.errors import Conflict, InvalidInput


def accept_gap(chain: str, *, actor: Actor, reason: str) -> AuditEvent:
    """Record that the end of this chain was lost, and sign it, so that the chain can go on.

    The lost records stay lost and named; an alteration of what is still there cannot be accepted this
    way. Raises InvalidInput without a reason, Conflict when nothing is missing at the end.
    """
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say which backup was restored, and why.")]})
    last = checkpoints.last_checkpoint(chain)
    with transaction.atomic():
        head = ChainHead.objects.select_for_update().filter(pk=chain).first()
        kept = head.sequence if head else 0
        if last is None or last.sequence <= kept:
            raise Conflict(_("No signed record is missing at the end of this chain."))
        tenant = None
        if chain != PORTAL_CHAIN:
            newest = AuditEvent.objects.for_chains([chain]).order_by("-sequence").first()
            tenant = TenantRef(id=chain, name=newest.tenant_name if newest else "")
        event = record(
            actor=actor,
            action="audit.gap",
            target=Target(type="audit chain", id=chain, name=chain),
            tenant=tenant,
            after={
                "lost_from": kept + 1,
                "lost_to": last.sequence,
                "lost_hash": last.hash,
                "signed_at": last.at,
            },
            detail=reason,
        )
        # Within the transaction: a signed gap without its record would be found, the opposite not.
        checkpoints.append(chain, event.sequence, event.hash, kind="gap")
    return event
