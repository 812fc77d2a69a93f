"""What this person may do with this change now, and why not: one answer for page, API and action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.gates import asked
from environments.changes.kinds import kind_of
from environments.changes.lifecycle import CANCELLABLE, RETRYABLE, WITHDRAWABLE, Status
from environments.changes.models import Change, Review, Vote
from environments.permissions import refusal, roles_of
from portal.accounts.models import User


@dataclass(frozen=True)
class Ability:
    """`allowed`, or the `reason` why not. `by_state` tells a wrong moment from a missing right."""

    allowed: bool
    reason: str = ""
    by_state: bool = False


YES = Ability(allowed=True)


def barred_voters(change: Change) -> Mapping[int, str]:
    """People who may not approve this change (user id -> why): four eyes."""
    barred = dict(kind_of(change).conflicted(change))
    if change.requested_by_id is not None:
        barred[change.requested_by_id] = _("You requested this change; somebody else has to approve it.")
    return barred


def _no(reason: str) -> Ability:
    return Ability(allowed=False, reason=reason)


def _wrong_moment(reason: str) -> Ability:
    return Ability(allowed=False, reason=reason, by_state=True)


def _not_now(change: Change) -> Ability:
    return _wrong_moment(_("The change is %(status)s.") % {"status": Status(change.status).label.lower()})


def own_vote(change: Change, user: User) -> Vote | None:
    """The person's standing vote on what is proposed now."""
    return Vote.objects.counting_for(change).filter(user=user).first()


def can_approve(change: Change, user: User, roles: frozenset[str]) -> Ability:
    if change.status != Status.AWAITING_APPROVAL or change.proposal is None:
        return _not_now(change)
    reason = barred_voters(change).get(user.pk)
    if reason:
        return _no(reason)
    gates = asked(change.environment, change.proposal.facts)
    wanted = {role for gate in gates for role in gate.roles}
    if not wanted & roles:
        return _no(_("The gates ask for these roles: %(roles)s.") % {"roles": ", ".join(sorted(wanted))})
    vote = own_vote(change, user)
    if vote and vote.decision == Vote.Decision.APPROVE:
        return _wrong_moment(_("You have already approved this proposal."))
    return YES


def can_reject(change: Change, user: User, roles: frozenset[str]) -> Ability:
    """Whoever may vote may reject; the requester cancels instead."""
    if change.status != Status.AWAITING_APPROVAL or change.proposal is None:
        return _not_now(change)
    if change.requested_by_id == user.pk:
        return _no(_("You requested this change; cancel it instead."))
    wanted = {role for gate in asked(change.environment, change.proposal.facts) for role in gate.roles}
    if not wanted & roles:
        return _no(_("The gates ask for these roles: %(roles)s.") % {"roles": ", ".join(sorted(wanted))})
    return YES


def can_withdraw(change: Change, user: User, roles: frozenset[str]) -> Ability:
    if change.status not in WITHDRAWABLE:
        return _not_now(change)
    return YES if own_vote(change, user) else _wrong_moment(_("You have no vote on this proposal."))


def can_comment(change: Change, user: User, roles: frozenset[str]) -> Ability:
    reason = refusal(roles, "change.comment")
    return _no(reason) if reason else YES


def can_start(change: Change, user: User, roles: frozenset[str]) -> Ability:
    reason = refusal(roles, "change.start")
    if reason:
        return _no(reason)
    if change.status != Status.APPROVED or change.start != "manual" or change.start_pressed_at:
        return _not_now(change)
    return YES


def can_cancel(change: Change, user: User, roles: frozenset[str]) -> Ability:
    reason = refusal(roles, "change.cancel")
    if reason and change.requested_by_id != user.pk:
        return _no(reason)
    proving = change.status == Status.VERIFYING
    too_late = kind_of(change).stopping(change).too_late if proving else ""
    if too_late:
        return _wrong_moment(too_late)
    if not proving and change.status not in CANCELLABLE:
        return _not_now(change)
    if change.cancel_requested_at:
        return _wrong_moment(_("Cancelling is already under way."))
    return YES


def can_kill(change: Change, user: User, roles: frozenset[str]) -> Ability:
    reason = refusal(roles, "change.kill")
    if reason:
        return _no(reason)
    if not kind_of(change).stopping(change).kill:
        return _wrong_moment(_("There is no tool to kill: cancelling it is all there is."))
    if change.status == Status.VERIFYING:
        return _wrong_moment(_("Everything has been applied; there is no Terraform left to kill."))
    if change.status not in {Status.PROPOSING, Status.EXECUTING}:
        return _not_now(change)
    if change.kill_requested_at:
        return _wrong_moment(_("Killing is already under way."))
    if change.cancel_requested_at is None:
        return _wrong_moment(_("Cancel it first: Terraform then saves its state."))
    free = change.cancel_requested_at + timedelta(seconds=settings.KILL_COOL_OFF_SECONDS)
    if timezone.now() < free:
        wait = int((free - timezone.now()).total_seconds()) + 1
        return _wrong_moment(_("It is still stopping; killing is possible in %(n)s s.") % {"n": wait})
    return YES


def can_break_glass(change: Change, user: User, roles: frozenset[str]) -> Ability:
    """The requester may, too: it is for the night when nobody else can be reached."""
    reason = refusal(roles, "change.break_glass")
    if reason:
        return _no(reason)
    if not kind_of(change).may_break_glass:
        return _no(_("Who has to approve is never changed without the votes it needs."))
    if change.status != Status.AWAITING_APPROVAL or change.proposal is None:
        return _not_now(change)
    return YES


def can_review(change: Change, user: User, roles: frozenset[str]) -> Ability:
    """Afterwards, by somebody who neither asked for it nor started it."""
    reason = refusal(roles, "change.review")
    if reason:
        return _no(reason)
    review = Review.objects.filter(change=change).first() if change.break_glass else None
    if review is None:
        return _wrong_moment(_("No review is owed: it was not started without approval."))
    if user.pk in (change.break_glass_by_id, change.requested_by_id):
        return _no(_("Somebody else has to review it: you requested it or started it."))
    if review.reviewed_at is not None:
        return _wrong_moment(_("Somebody has reviewed it already."))
    return YES


def can_retry(change: Change, user: User, roles: frozenset[str]) -> Ability:
    """Whoever may request may ask again for what did not come through."""
    reason = refusal(roles, "change.request")
    if reason:
        return _no(reason)
    if change.status not in RETRYABLE:
        return _wrong_moment(_("Only what failed, was cancelled or interrupted is tried again."))
    if not kind_of(change).repeatable:
        return _wrong_moment(_("This kind of change is not tried again; request it anew."))
    under_way = change.retries.open().first()
    if under_way:
        return _wrong_moment(_("It is being tried again already: “%(title)s”.") % {"title": under_way.title})
    return YES


ABILITIES = {
    "can_approve": can_approve,
    "can_reject": can_reject,
    "can_withdraw": can_withdraw,
    "can_comment": can_comment,
    "can_start": can_start,
    "can_cancel": can_cancel,
    "can_kill": can_kill,
    "can_retry": can_retry,
    "can_break_glass": can_break_glass,
    "can_review": can_review,
}


def abilities(change: Change, user: User) -> dict[str, Ability]:
    """Every act on a change with the answer for this person."""
    roles = roles_of(user, change.environment.tenant)
    return {name: ask(change, user, roles) for name, ask in ABILITIES.items()}
