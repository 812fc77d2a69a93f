"""What the scheduler does for the engine: send again what is due, give up what is dead, end what expired.

Runs in the scheduler process every few seconds; every step is a compare-and-set, so two at once are
harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import claims, notices
from environments.changes.approvals import EXPIRED_NOTE
from environments.changes.dispatch import dispatch, resend
from environments.changes.execution import wake_waiting
from environments.changes.kinds import kind_of
from environments.changes.leases import RELEASED
from environments.changes.lifecycle import FINAL, ErrorKind, Status
from environments.changes.models import Change, Claim
from environments.changes.transitions import move
from portal.accounts.principals import SYSTEM
from portal.core.clock import now
from portal.core.errors import StaleState
from portal.scheduler.models import DueRow

logger = logging.getLogger(__name__)
NAME = "changes.sweep"
SENT_A_ROUND = 20
# A change whose proposing cost this many workers their lives is not given to another.
FATAL_PROPOSALS = 3
# Until then nobody is given up for dead: workers that live must have had the time to say so.
_spared_until: datetime | None = None


def sweep() -> None:
    """One round over all that may need the engine's attention."""
    if not _spared():
        _bury_the_dead()
    _free_claims_of_the_dead()
    _expire()
    _send_due()


def _spared() -> bool:
    """Whether the database was away for so long that leases ran out of workers that live.

    Seen by the gap since the last round that ended: nobody could sweep, so nobody could renew a lease
    either. Two heartbeats after its return every living worker has renewed.
    """
    global _spared_until
    moment = now()
    last = DueRow.objects.filter(name=NAME).values_list("last_finished_at", flat=True).first()
    away = timedelta(seconds=max(settings.LEASE_SECONDS - 2 * settings.HEARTBEAT_SECONDS, 1))
    if last is not None and moment - last > away:
        _spared_until = moment + timedelta(seconds=2 * settings.HEARTBEAT_SECONDS)
    return _spared_until is not None and moment < _spared_until


def _each(change: Change, act: Callable[[Change], None]) -> None:
    """Do it in a transaction; what is wrong with one change must not keep the others waiting."""
    try:
        with transaction.atomic():
            act(change)
    except StaleState:
        logger.info("Change %s had moved on", change.uuid)
    except (OperationalError, InterfaceError):
        raise  # the database is away: for all of them
    except Exception:
        logger.exception("Change %s could not be swept", change.uuid)


def _send_due() -> None:
    # A message lets a worker take whatever is fairest, so a few a round are enough; more would only
    # pile up in the broker while all workers are busy.
    for change in Change.objects.due(timezone.now())[:SENT_A_ROUND]:
        if not resend(change):
            return  # the broker is away: the others would wait for it one by one


def _bury_the_dead() -> None:
    for change in Change.objects.abandoned(now()).for_lists():
        _each(change, _bury)


def _bury(change: Change) -> None:
    """A worker's lease ran out: propose again, let another go on, or say that it was interrupted."""
    # Held until the move: a worker that renews at this moment comes before it, and then it lives, or after it.
    held = Change.objects.select_for_update().filter(pk=change.pk, fence=change.fence)
    if not held.abandoned(now()).exists():
        raise StaleState(_("It came back to life."))
    kind = kind_of(change)
    owner = f"{change.lease_owner.get('host', '?')}:{change.lease_owner.get('pid', '?')}"
    if change.status == Status.PROPOSING and _ends_here(change, owner):
        return
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


def _ends_here(change: Change, owner: str) -> bool:
    """End a proposing that is not tried again: somebody cancelled it, or it kills whoever tries."""
    died = change.transitions.filter(from_status=Status.PROPOSING, to_status=Status.REQUESTED).count() + 1
    if change.cancel_requested_at is not None:
        note = _("Cancelled; its worker %(owner)s had died. Nothing was altered.") % {"owner": owner}
        move(
            change,
            Status.CANCELLED,
            by=SYSTEM,
            note=note,
            held=change.fence,
            finished_at=timezone.now(),
            **RELEASED,
        )
    elif died >= FATAL_PROPOSALS:
        message = _("%(n)s workers died one after the other while they proposed it.") % {"n": died}
        move(
            change,
            Status.FAILED,
            by=SYSTEM,
            note=message,
            held=change.fence,
            finished_at=timezone.now(),
            error_kind=ErrorKind.PORTAL,
            error_message=message,
            error_hint=_("Often the machine has too little memory for this plan. Nothing was altered."),
            **RELEASED,
        )
    else:
        return False
    Change.objects.filter(pk=change.pk).update(fence=change.fence + 1)
    notices.announce(change, change.status)
    return True


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
        _each(change, _end_unused)


def _end_unused(change: Change) -> None:
    move(change, Status.EXPIRED, by=SYSTEM, note=str(EXPIRED_NOTE), finished_at=timezone.now())
    notices.announce(change, "expired")
