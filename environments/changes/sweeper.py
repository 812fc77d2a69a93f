"""What the scheduler does for the engine: send again what is due, give up what is dead, end what expired.

Runs in the scheduler process every few seconds; every step is a compare-and-set, so two at once are
harmless.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import claims, notices
from environments.changes.approvals import EXPIRED_NOTE
from environments.changes.dispatch import dispatch
from environments.changes.execution import wake_waiting
from environments.changes.kinds import kind_of
from environments.changes.leases import RELEASED
from environments.changes.lifecycle import FINAL, ErrorKind, Status
from environments.changes.models import Change, Claim
from environments.changes.transitions import move
from portal.accounts.principals import SYSTEM
from portal.core.clock import now
from portal.core.errors import StaleState

logger = logging.getLogger(__name__)
SENT_A_ROUND = 20


def sweep() -> None:
    """One round over all that may need the engine's attention."""
    _bury_the_dead()
    _free_claims_of_the_dead()
    _expire()
    _send_due()


def _send_due() -> None:
    # A message lets a worker take whatever is fairest, so a few a round are enough; more would only
    # pile up in the broker while all workers are busy.
    for change in Change.objects.due(timezone.now())[:SENT_A_ROUND]:
        with transaction.atomic():
            dispatch(change)


def _bury_the_dead() -> None:
    for change in Change.objects.abandoned(now()).for_lists():
        try:
            with transaction.atomic():
                _bury(change)
        except StaleState:
            logger.info("Change %s came back to life", change.uuid)


def _bury(change: Change) -> None:
    """A worker's lease ran out: propose again, let another go on, or say that it was interrupted."""
    kind = kind_of(change)
    owner = f"{change.lease_owner.get('host', '?')}:{change.lease_owner.get('pid', '?')}"
    if change.status == Status.PROPOSING:
        note = _("The worker %(owner)s died while proposing; it is proposed again.") % {"owner": owner}
        # The next fence is what a worker that only seemed dead fails on.
        move(change, Status.REQUESTED, by=SYSTEM, note=note, held=change.fence, **RELEASED)
        Change.objects.filter(pk=change.pk).update(fence=change.fence + 1)
        dispatch(change)
        return
    if kind.resumable(change.status):
        taken = Change.objects.filter(pk=change.pk, fence=change.fence, lease_until=change.lease_until)
        if taken.update(fence=change.fence + 1, **RELEASED):
            dispatch(change)
        return
    message = _("The worker %(owner)s died while this was running.") % {"owner": owner}
    move(
        change,
        Status.INTERRUPTED,
        by=SYSTEM,
        note=message,
        held=change.fence,
        finished_at=timezone.now(),
        error_kind=ErrorKind.PORTAL,
        error_message=f"{message} {kind.after_death(change)}".strip(),
        error_hint=_("Plan again before anything else: the next run starts with a refresh."),
        **RELEASED,
    )
    Change.objects.filter(pk=change.pk).update(fence=change.fence + 1)
    notices.announce(change, "interrupted")


def _free_claims_of_the_dead() -> None:
    """Give back what an ended change still holds, once its tool is proven dead."""
    for claim in Claim.objects.active().filter(change__status__in=FINAL).select_related("change"):
        if kind_of(claim.change).still_running(claim.change) is False:
            _close(claim.change)
            wake_waiting(claims.release(claim.change))


def _close(change: Change) -> None:
    """What follows the end, before anybody else may start. A fault in it must not hold the claim for ever."""
    try:
        kind_of(change).after_end(change)
    except Exception:
        logger.exception("What change %s left could not be worked out", change.uuid)


def _expire() -> None:
    stale = Change.objects.filter(
        status__in=[Status.AWAITING_APPROVAL, Status.APPROVED], expires_at__lt=timezone.now()
    )
    for change in stale.for_lists():
        try:
            with transaction.atomic():
                move(
                    change, Status.EXPIRED, by=SYSTEM, note=str(EXPIRED_NOTE), finished_at=timezone.now()
                )
                notices.announce(change, "expired")
        except StaleState:
            logger.info("Change %s was decided just before it expired", change.uuid)
