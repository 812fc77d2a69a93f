"""A worker's way through one change: claim the row, run the kind's phase, move on.

A message may come twice or never; only the row decides. Execute is never repeated by itself.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes import claims, notices, reviews
from environments.changes.actions import reopen_if_unmet
from environments.changes.approvals import EXPIRED_NOTE, approval_ends, expiry, starts_now
from environments.changes.carrying import carry
from environments.changes.dispatch import dispatch
from environments.changes.emergency import MENDED, passed
from environments.changes.kinds import Cancelled, Draft, Later, ToolFailure, kind_of
from environments.changes.leases import RELEASED, Lease, LeaseLost, lease_fields
from environments.changes.lifecycle import FINAL, RESTING, ErrorKind, Status
from environments.changes.line import Waiting
from environments.changes.log import LogWriter
from environments.changes.models import Change, Proposal
from environments.changes.patience import AWAY
from environments.changes.transitions import move
from environments.changes.work import Work
from portal.accounts.principals import Principal
from portal.core.errors import StaleState
from portal.core.redaction import Redactor, mask_forms
from portal.core.wellformed import kept

logger = logging.getLogger(__name__)
T = TypeVar("T")
CANCELLED_UNUSED = gettext_lazy("Cancelled just as its proposal was ready; nothing was altered.")


def advance(change_uuid: str, *, by: Principal) -> bool:
    """Do whatever is next for this change, if anything is and nobody else does it: whether it was done here."""
    change = Change.objects.for_lists().filter(uuid=change_uuid).first()
    if change is None:
        return False
    try:
        if change.status in {Status.REQUESTED, Status.APPROVED} and _ends_unused(change, by=by):
            return True
        if change.status == Status.REQUESTED:
            return _propose_in_turn(change, by=by)
        if change.status == Status.APPROVED:
            return _execute_in_turn(change, by=by)
        if change.status in RESTING and change.lease_until is None:
            return _go_on(change, by=by)
    except StaleState:
        logger.info("Change %s was taken by somebody else", change_uuid)
    except LeaseLost:
        logger.warning("Change %s: this worker's lease ended; it writes nothing more", change_uuid)
        return True
    return False


def _postpone(change: Change, waiting: Waiting | None = None, *, seconds: float | None = None) -> None:
    """Look again later, as soon as a hold ends; whoever gives a claim back sends this change at once."""
    later = timezone.now() + timedelta(seconds=settings.RESEND_SECONDS if seconds is None else seconds)
    if waiting is not None and waiting.until is not None:
        later = min(later, waiting.until)
    Change.objects.filter(pk=change.pk, version=change.version).update(due_at=later)


def _ends_unused(change: Change, *, by: Principal) -> bool:
    """End a change that may not go on: its environment is retired, or its approval has expired in the queue."""
    now = timezone.now()
    if change.environment.retired_at is not None:
        status, note = Status.CANCELLED, _("The environment was retired; nothing is changed in it any more.")
    elif change.status == Status.APPROVED and change.expires_at is not None and change.expires_at <= now:
        status, note = Status.EXPIRED, str(EXPIRED_NOTE)
    else:
        return False
    with transaction.atomic():
        move(change, status, by=by, note=note, finished_at=now)
        notices.announce(change, status.value)
    return True


# --- propose ---------------------------------------------------------------------------------------


def _propose_in_turn(change: Change, *, by: Principal) -> bool:
    if claims.waiting_for(change) is not None:
        _postpone(change)
        return False
    with transaction.atomic():
        move(change, Status.PROPOSING, by=by, due_at=None, **lease_fields(change))
    _propose(change, by=by)
    return True


def _propose(change: Change, *, by: Principal) -> None:
    with _working(change, by) as work:
        draft = _phase(work, kind_of(change).propose)
        if draft is not None:
            _store_proposal(work, draft)


def _store_proposal(work: Work, draft: Draft) -> None:
    """Write the proposal and move to where it leads, in one transaction."""
    work.lease.hold()
    # Before the move: nothing may follow in the log of a change that has ended.
    work.log.close()
    change = work.change
    with transaction.atomic():
        # Held: a wish to cancel comes before the move and is seen, or after it and finds the new status.
        Change.objects.select_for_update().filter(pk=change.pk).first()
        last = change.proposals.order_by("-number").first()
        proposal = Proposal.objects.create(
            change=change,
            number=last.number + 1 if last else 1,
            digest=draft.digest,
            facts=dict(draft.facts),
            base=dict(draft.base),
            summary=draft.summary,
        )
        draft.keep(proposal)
        change.proposal = proposal
        fields: dict[str, Any] = {
            "proposal": proposal,
            "summary": draft.summary,
            "title": (draft.title or change.title)[:200],
            **RELEASED,
        }
        if not draft.empty and not draft.plan_only:
            carry(change, by=work.by)
        cancelled, _kill = work.wishes()
        status = _after_proposal(change, draft, cancelled=cancelled)
        now = timezone.now()
        if status in FINAL:
            fields["finished_at"] = now
        if status == Status.APPROVED:
            fields |= _approved_fields(change, now, again=last is not None and last.digest == draft.digest)
        else:
            # Start was pressed on what was approved then; it does not count for something else.
            fields |= {"start_pressed_at": None, **MENDED}
        if status == Status.AWAITING_APPROVAL:
            fields |= {"approved_at": None, "expires_at": expiry(change, now)}
        note = CANCELLED_UNUSED if status == Status.CANCELLED else draft.summary
        move(change, status, by=work.by, held=work.fence, note=str(note), **fields)
        _tell_proposed(change, again=last is not None)
        if status == Status.APPROVED and starts_now(change, now):
            dispatch(change)


def _approved_fields(change: Change, now: datetime, *, again: bool) -> dict[str, Any]:
    """What an approved proposal writes. Proposed again to the same end, its approval and place are the old ones."""
    if again and change.approved_at is not None:
        return {"due_at": change.start_at}
    return {"approved_at": now, "expires_at": approval_ends(change, now), "due_at": change.start_at}


def _tell_proposed(change: Change, *, again: bool) -> None:
    if not (again and change.status == Status.AWAITING_APPROVAL):
        notices.announce(change, change.status)
        return
    why = change.transitions.filter(to_status=Status.PROPOSING).order_by("-pk").first()
    notices.announce(change, "asked_again", comment=why.note if why else "")


def _after_proposal(change: Change, draft: Draft, *, cancelled: bool) -> Status:
    if draft.plan_only:
        return Status.PLANNED
    if cancelled:
        return Status.CANCELLED
    if draft.empty:
        return Status.NO_CHANGES
    return Status.APPROVED if passed(change) else Status.AWAITING_APPROVAL


# --- execute ---------------------------------------------------------------------------------------


def _execute_in_turn(change: Change, *, by: Principal) -> bool:
    """Start an approved change if its time, its votes, its base and its turn all say yes."""
    waiting = claims.waiting_for(change)
    if waiting is not None:
        if waiting.change is not None or waiting.until is not None:
            _postpone(change, waiting)
        return False
    with transaction.atomic():
        if reopen_if_unmet(
            change, by=by, note=_("A voter no longer holds the role; votes are needed again.")
        ):
            return True
    try:
        moved = kind_of(change).base_moved(change)
    except Later as later:
        # Unknown is no licence to start: it waits, and keeps its place.
        logger.warning("Change %s: cannot see what it stands on: %s", change.uuid, later.__cause__)
        _postpone(change, seconds=later.seconds)
        return False
    if moved:
        with transaction.atomic():
            move(change, Status.PROPOSING, by=by, note=moved, due_at=None, **lease_fields(change))
        _propose(change, by=by)
        return True
    try:
        with transaction.atomic():
            if not passed(change):
                # A role was withdrawn while the base was looked at; the next look asks for votes.
                raise StaleState(_("Its votes no longer do."))
            claims.take(change)
            if change.break_glass:
                reviews.owe(change)
            move(
                change,
                Status.EXECUTING,
                by=by,
                due_at=None,
                started_at=timezone.now(),
                **lease_fields(change),
            )
            notices.announce(change, "executing")
    except claims.Busy as busy:
        _postpone(change, busy.waiting)
        return False
    _execute(change, by=by)
    return True


def _execute(change: Change, *, by: Principal, again: bool = False) -> None:
    """Execute, or go on with it (`again`), then verify."""
    kind = kind_of(change)
    run = kind.resume if again else kind.execute
    with _working(change, by) as work:
        if _phase(work, lambda work: run(work) or True, settle=True) is None:
            return
        work.lease.hold()
        with transaction.atomic():
            move(change, Status.VERIFYING, by=by, held=work.fence)
            freed = claims.release(change)
        wake_waiting(freed)
        _verify(work)


def _verify(work: Work) -> None:
    verdict = _phase(work, kind_of(work.change).verify)
    if verdict is None:
        return
    work.lease.hold()
    work.log.close()
    status = Status.SUCCEEDED if verdict.ok else Status.REGRESSED
    with transaction.atomic():
        move(
            work.change,
            status,
            by=work.by,
            held=work.fence,
            note=verdict.summary,
            finished_at=timezone.now(),
            error_message="" if verdict.ok else verdict.message,
            error_hint="" if verdict.ok else verdict.hint,
            **RELEASED,
        )
        # A kind that took something back while it verified holds what it touched.
        freed = claims.release(work.change)
        notices.announce(work.change, status.value)
    wake_waiting(freed)


def _go_on(change: Change, *, by: Principal) -> bool:
    """Go on with a phase that rested, or whose worker died: verify alters nothing, a kind that resumes looks first."""
    if not kind_of(change).resumable(change.status):
        return False
    if change.look_at is not None and change.look_at > timezone.now():
        return False
    with transaction.atomic():
        fields = lease_fields(change)
        taken = Change.objects.filter(
            pk=change.pk, status=change.status, fence=change.fence, lease_until=None
        ).update(**fields, due_at=None, look_at=None)
        if not taken:
            raise StaleState(_("Another worker goes on with it."))
    for name, value in {**fields, "due_at": None, "look_at": None}.items():
        setattr(change, name, value)
    if change.status == Status.EXECUTING:
        _execute(change, by=by, again=True)
        return True
    with _working(change, by) as work:
        _verify(work)
    return True


# --- common ----------------------------------------------------------------------------------------


@contextmanager
def _working(change: Change, by: Principal) -> Any:
    """The lease and the log of one phase."""
    with Lease(change) as lease:
        log = LogWriter(change, change.fence, Redactor([]))
        yield Work(change, lease, log, by)
        if not lease.lost.is_set() and change.status not in FINAL:
            log.close()


def _phase(work: Work, run: Callable[[Work], T], *, settle: bool = False) -> T | None:
    """Run a phase; None when it ended the change instead of giving a result."""
    try:
        return run(work)
    except Cancelled as stopped:
        _end(work, Status.CANCELLED, settle=settle, note=stopped.done)
    except ToolFailure as failure:
        _end(
            work,
            Status.FAILED,
            settle=settle,
            note=failure.message.partition("\n")[0],
            error_kind=ErrorKind.TOOL,
            error_message=failure.message,
            error_hint=failure.hint,
        )
    except Later as later:
        _rest(work, later.seconds)
    except (LeaseLost, StaleState):
        raise
    except Exception as fault:
        if isinstance(fault, AWAY) and work.change.status != Status.EXECUTING:
            # Nothing was altered: when the lease has run out, it is proposed or verified again.
            raise
        # The words of an error may quote what it choked on.
        trace = work.log.redactor.redact(traceback.format_exc())
        logger.error("Change %s failed in the portal\n%s", work.change.uuid, trace)
        _end(
            work,
            Status.FAILED,
            settle=settle,
            note=_("The portal could not run it."),
            error_kind=ErrorKind.PORTAL,
            error_message=f"{type(fault).__name__}: {work.log.redactor.redact(str(fault))}",
            error_hint=_(
                "This is a fault of the portal or its machine, not of the plan; its log has the details."
            ),
        )
    return None


def _rest(work: Work, seconds: float) -> None:
    """Let the change go until AWS has moved on; whoever is free then goes on with it."""
    work.lease.hold()
    work.log.close()
    at = timezone.now() + timedelta(seconds=seconds)
    # A cancel that came meanwhile has found somebody at work, who must not sleep over it.
    unheard = work.wishes()[0] and work.change.cancel_requested_at is None
    due = timezone.now() if unheard else at
    work.set(**RELEASED, due_at=due, look_at=due)


def _end(work: Work, status: Status, *, settle: bool, note: str, **fields: Any) -> None:
    """Finish a change that did not come through: read what is there, close the log, move, give back."""
    work.lease.hold()
    if settle:
        try:
            kind_of(work.change).settle(work)
        except Exception:
            logger.exception("Change %s: could not read what is there now", work.change.uuid)
    work.say(note)
    work.log.close()
    # A tool's words may hold what no database keeps; the change must end all the same.
    note = kept(mask_forms(work.log.redactor.redact(note)))
    for name in {"error_message", "error_hint"} & fields.keys():
        fields[name] = kept(mask_forms(work.log.redactor.redact(fields[name])))
    with transaction.atomic():
        move(
            work.change,
            status,
            by=work.by,
            held=work.fence,
            note=note,
            finished_at=timezone.now(),
            **fields,
            **RELEASED,
        )
        freed = claims.release(work.change)
        notices.announce(work.change, status.value)
    wake_waiting(freed)


def wake_waiting(subjects: list[str]) -> None:
    """Send those who may have waited for these subjects; each looks for itself whether it is its turn."""
    if not subjects:
        return
    waiting = Change.objects.filter(status__in=[Status.REQUESTED, Status.APPROVED]).exclude(due_at=None)
    for change in waiting.select_related("environment__tenant").order_by("priority", "approved_at", "pk"):
        if set(kind_of(change).claims(change)) & set(subjects):
            with transaction.atomic():
                dispatch(change)
