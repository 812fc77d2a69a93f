"""Starting a change without votes in an emergency, and the review that somebody else owes for it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import notices
from environments.changes.abilities import can_break_glass, can_review
from environments.changes.actions import _acting, _locked, _require, _still_here
from environments.changes.dispatch import dispatch, dispatch_waiting
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Review, Start
from environments.changes.transitions import move, note_event
from portal.accounts.principals import Principal
from portal.core.errors import InvalidInput, NotAllowed, StaleState


def break_glass(*, by: Principal, change: Change, digest: str, reason: str, confirm_name: str = "") -> Change:
    """Start exactly this proposal without votes; everybody who might have voted is told, and a review is owed.

    On production the environment's key is typed. Raises NotAllowed, StaleState, InvalidInput.
    """
    with _acting(by, change, "break_glass"):
        _still_here(by)
        change = _locked(change)
        user = _require(by, change, can_break_glass)
        if by.kind != "user":
            raise NotAllowed(_("A person breaks the glass, signed in: an API token may not."))
        _check(change, digest, reason, confirm_name)
        assert change.proposal is not None
        now = timezone.now()
        move(
            change,
            Status.APPROVED,
            by=by,
            action="change.break_glass",
            note=_("Without approval: %(reason)s") % {"reason": reason.strip()},
            approved_at=now,
            expires_at=now + timedelta(hours=settings.APPROVAL_TTL_HOURS),
            break_glass=True,
            break_glass_reason=reason.strip()[:4000],
            break_glass_by=user,
            break_glass_at=now,
            break_glass_digest=change.proposal.digest,
            # An emergency does not wait for a time or for another press.
            start=Start.ON_APPROVAL,
            start_at=None,
        )
        notices.announce(change, "break_glass", by=by.name, comment=reason.strip())
        dispatch(change)
    return change


def _check(change: Change, digest: str, reason: str, confirm_name: str) -> None:
    if change.proposal is None or digest != change.proposal.digest:
        raise StaleState(
            _("What is proposed has changed since you looked at it."),
            hint=_("Reload the page and read the new proposal before you start it."),
        )
    errors: dict[str, list[str]] = {}
    if not reason.strip():
        errors["reason"] = [_("Say why it cannot wait for the votes; everybody asked will read it.")]
    key = change.environment.key
    if change.environment.is_production and confirm_name.strip() != key:
        errors["confirm_name"] = [_("Type %(key)s to start it without approval.") % {"key": key}]
    if errors:
        raise InvalidInput(errors)


def review(*, by: Principal, change: Change, verdict: str, comment: str) -> Change:
    """Say afterwards whether the break-glass start was right; settles the debt, and lets waiting changes go.

    Raises NotAllowed (who broke the glass, who requested it), StaleState (none owed), InvalidInput.
    """
    errors: dict[str, list[str]] = {}
    if verdict not in Review.Verdict.values:
        errors["verdict"] = [_("Use one of: %(names)s.") % {"names": ", ".join(Review.Verdict.values)}]
    if not comment.strip():
        errors["comment"] = [_("Say what you looked at and what follows from it.")]
    if errors:
        raise InvalidInput(errors)
    with _acting(by, change, "review"):
        change = _locked(change)
        user = _require(by, change, can_review)
        owed = Review.objects.filter(change=change, reviewed_at=None)
        done = owed.update(
            reviewed_by=user, reviewed_at=timezone.now(), verdict=verdict, comment=comment.strip()[:4000]
        )
        if not done:
            raise StaleState(_("Somebody has reviewed it already."))
        note_event(change, by=by, action="change.review", detail=comment.strip(), verdict=verdict)
        notices.announce(change, "reviewed", by=by.name, comment=comment.strip())
        dispatch_waiting(change.environment)
    return change
