"""What people do with changes. Each act: may they? move, record, enqueue on commit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.acts import acting
from environments.changes import notices
from environments.changes.abilities import (
    Ability,
    can_approve,
    can_cancel,
    can_comment,
    can_kill,
    can_reject,
    can_start,
    can_withdraw,
    own_vote,
)
from environments.changes.approvals import approval_ends, expiry, starts_now
from environments.changes.dispatch import dispatch
from environments.changes.emergency import MENDED, passed
from environments.changes.lifecycle import WORKING, Status
from environments.changes.models import Change, Comment, Start, Transition, Vote
from environments.changes.transitions import move, note_event, target_of
from environments.models import Environment
from environments.permissions import require, roles_of
from portal.accounts.models import User
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput, NotAllowed, StaleState

# What had not been done yet when a change is cancelled while nobody works on it.
UNTOUCHED = {
    Status.REQUESTED: gettext_lazy("Cancelled before anything was proposed; nothing was altered."),
    Status.AWAITING_APPROVAL: gettext_lazy("Cancelled before it was approved; nothing was altered."),
    Status.APPROVED: gettext_lazy("Cancelled before it started; nothing was altered."),
}
Asking = Callable[[Change, User, frozenset[str]], Ability]


def _acting(by: Principal, change: Change, verb: str) -> AbstractContextManager[None]:
    return acting(by, change.environment, action=f"change.{verb}", target=target_of(change))


def _locked(change: Change) -> Change:
    """The change as it is now, held until the transaction ends."""
    return Change.objects.select_for_update(of=("self",)).for_lists().get(pk=change.pk)


def _still_here(by: Principal) -> None:
    """Hold the person's row before the change's, as letting somebody go does: either comes wholly first."""
    if by.user is None:
        return
    rows = User.objects.active().filter(pk=by.user.pk).select_for_update(no_key=True)
    if not rows.values_list("pk", flat=True).first():
        raise NotAllowed(_("You have been deactivated meanwhile."))


def _require(by: Principal, change: Change, ask: Asking) -> User:
    """The person, if `ask` lets them; NotAllowed or StaleState with the reason otherwise."""
    user = by.user
    if user is None:
        raise NotAllowed(_("Only people decide on changes."))
    require(by, change.environment, "environment.view")
    answer = ask(change, user, roles_of(user, change.environment.tenant))
    if answer.allowed:
        return user
    raise StaleState(answer.reason) if answer.by_state else NotAllowed(answer.reason)


def request(
    *,
    by: Principal,
    environment: Environment,
    kind: str,
    title: str,
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
    priority: int = 0,
    retry_of: Change | None = None,
) -> Change:
    """Write the row of a new change and send it on commit. Rooms call it in their own act's transaction."""
    if start not in Start.values:
        raise InvalidInput({"start": [_("Use one of: %(names)s.") % {"names": ", ".join(Start.values)}]})
    if (start == Start.AT) != (start_at is not None):
        raise InvalidInput({"start_at": [_("Give a time exactly when it shall start at a time.")]})
    if start_at is not None and start_at <= timezone.now():
        raise InvalidInput({"start_at": [_("This time is past; choose one to come.")]})
    if any(not link.get("url", "").startswith(("https://", "http://")) for link in links or []):
        raise InvalidInput({"links": [_("A link starts with https:// or http://.")]})
    if environment.retired_at is not None:
        raise Conflict(_("The environment is retired; nothing can be changed in it."))
    change = Change.objects.create(
        uuid=uuid.uuid4(),
        environment=environment,
        kind=kind,
        title=title[:200],
        requested_by=by.user,
        requested_by_name=by.name,
        reason=reason,
        ticket=ticket,
        links=links or [],
        start=start,
        start_at=start_at,
        priority=priority,
        retry_of=retry_of,
    )
    Transition.objects.create(change=change, to_status=Status.REQUESTED, by=by.name)
    note_event(change, by=by, action="change.request", kind=kind, reason=reason, ticket=ticket, start=start)
    dispatch(change)
    return change


def approve(*, by: Principal, change: Change, digest: str, comment: str = "") -> Change:
    """Cast an approving vote on exactly the proposal with this digest; the last one needed sets it going."""
    with _acting(by, change, "approve"):
        _still_here(by)
        change = _locked(change)
        user = _require(by, change, can_approve)
        _vote(change, user, Vote.Decision.APPROVE, digest, comment)
        note_event(change, by=by, action="change.approve", detail=comment, digest=digest)
        settle_gates(change, by=by)
    return change


def settle_gates(change: Change, *, by: Principal) -> None:
    """Move an awaiting change on when every gate has its votes. Inside the caller's transaction."""
    if not passed(change):
        return
    now = timezone.now()
    move(change, Status.APPROVED, by=by, approved_at=now, expires_at=approval_ends(change, now))
    notices.announce(change, "approved")
    if starts_now(change, now):
        dispatch(change)
    else:
        Change.objects.filter(pk=change.pk).update(due_at=change.start_at)


def reject(*, by: Principal, change: Change, comment: str, digest: str = "") -> Change:
    """End the change with a No; the comment says why."""
    if not comment.strip():
        raise InvalidInput({"comment": [_("Say why, so that the requester can do something about it.")]})
    with _acting(by, change, "reject"):
        _still_here(by)
        change = _locked(change)
        user = _require(by, change, can_reject)
        assert change.proposal is not None
        _vote(change, user, Vote.Decision.REJECT, digest or change.proposal.digest, comment)
        move(change, Status.REJECTED, by=by, action="change.reject", note=comment, finished_at=timezone.now())
        notices.announce(change, "rejected", by=by.name, comment=comment)
    return change


def _vote(change: Change, user: User, decision: Vote.Decision, digest: str, comment: str) -> Vote:
    proposal = change.proposal
    if proposal is None or digest != proposal.digest:
        raise StaleState(
            _("What is proposed has changed since you looked at it."),
            hint=_("Reload the page and read the new proposal before you vote."),
        )
    previous = own_vote(change, user)
    if previous is not None:
        Vote.objects.filter(pk=previous.pk).update(withdrawn_at=timezone.now())
    try:
        with transaction.atomic():
            return Vote.objects.create(
                proposal=proposal,
                user=user,
                decision=decision,
                comment=comment,
                roles=sorted(roles_of(user, change.environment.tenant)),
            )
    except IntegrityError as twice:
        raise StaleState(_("You have already voted on this proposal.")) from twice


def withdraw(*, by: Principal, change: Change) -> Change:
    """Take one's own vote back, until the start; an approved change then waits for votes again."""
    with _acting(by, change, "withdraw"):
        change = _locked(change)
        user = _require(by, change, can_withdraw)
        vote = own_vote(change, user)
        assert vote is not None
        Vote.objects.filter(pk=vote.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
        note_event(change, by=by, action="change.withdraw", decision=vote.decision)
        reopen_if_unmet(change, by=by, note=_("A vote was withdrawn."))
    return change


def reopen_if_unmet(change: Change, *, by: Principal, note: str) -> bool:
    """Send an approved change back to its gates when its votes no longer do. Inside a transaction."""
    if change.status != Status.APPROVED:
        return False
    if passed(change):
        return False
    if change.break_glass:
        note = _("Whoever started it without approval may do so no longer; it needs votes.")
    move(
        change,
        Status.AWAITING_APPROVAL,
        by=by,
        note=note,
        approved_at=None,
        due_at=None,
        start_pressed_at=None,
        expires_at=expiry(change, timezone.now()),
        **MENDED,
    )
    notices.announce(change, "asked_again", comment=note)
    return True


def ask(*, by: Principal, change: Change, text: str) -> Comment:
    """Write a question or remark; it ends nothing."""
    if not text.strip():
        raise InvalidInput({"text": [_("Write your question first.")]})
    with _acting(by, change, "comment"):
        user = _require(by, change, can_comment)
        comment = Comment.objects.create(change=change, user=user, text=text.strip()[:4000])
        note_event(change, by=by, action="change.comment", text=comment.text)
        notices.announce(change, "question", by=by.name, comment=comment.text)
    return comment


def start(*, by: Principal, change: Change) -> Change:
    """Press Start on an approved change that waits for it."""
    with _acting(by, change, "start"):
        change = _locked(change)
        _require(by, change, can_start)
        change.start_pressed_at = timezone.now()
        change.save(update_fields=["start_pressed_at"])
        note_event(change, by=by, action="change.start")
        dispatch(change)
    return change


def cancel(*, by: Principal, change: Change, reason: str = "") -> Change:
    """Stop a change: at once while nobody works on it, by a flag the worker obeys otherwise."""
    with _acting(by, change, "cancel"):
        change = _locked(change)
        _require(by, change, can_cancel)
        if change.status in WORKING:
            change.cancel_requested_at = timezone.now()
            change.cancel_requested_by = by.name
            change.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
            note_event(change, by=by, action="change.cancel", detail=reason)
            if change.lease_until is None:
                # Nobody is at it: a phase that rests shall hear of it now.
                Change.objects.filter(pk=change.pk).update(look_at=None)
                dispatch(change)
        else:
            move(
                change,
                Status.CANCELLED,
                by=by,
                action="change.cancel",
                note=" ".join(filter(None, [reason.strip(), str(UNTOUCHED[Status(change.status)])])),
                finished_at=timezone.now(),
            )
            notices.announce(change, "cancelled", by=by.name, comment=reason)
    return change


def kill(*, by: Principal, change: Change, reason: str) -> Change:
    """End Terraform by SIGKILL after a cancel that did not help; what it had not sent is lost."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say why; what Terraform has not saved yet will be lost.")]})
    with _acting(by, change, "kill"):
        change = _locked(change)
        _require(by, change, can_kill)
        change.kill_requested_at = timezone.now()
        change.kill_requested_by = by.name
        change.save(update_fields=["kill_requested_at", "kill_requested_by"])
        note_event(change, by=by, action="change.kill", detail=reason)
    return change
