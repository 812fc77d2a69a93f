"""When a person leaves, or loses a role, what they let through and has not started needs others' word."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.actions import reopen_if_unmet
from environments.changes.lifecycle import OPEN, Status
from environments.changes.models import Change, Vote
from environments.changes.querysets import ChangeQuerySet
from environments.changes.transitions import note_event
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import Principal

# Open, and not begun: votes that let a change start are history once it runs.
NOT_BEGUN = OPEN - {Status.EXECUTING, Status.VERIFYING}


def _let_through_by(user: User) -> ChangeQuerySet:
    """Changes not begun on which this person has a standing vote, or for which they broke the glass."""
    votes = Vote.objects.standing().filter(user=user)
    mine = Q(pk__in=votes.values("proposal__change_id")) | Q(break_glass=True, break_glass_by=user)
    return Change.objects.filter(mine, status__in=NOT_BEGUN)


def _locked(rows: ChangeQuerySet) -> list[Change]:
    """In one order everywhere, each once: two votes of one person on one change are one change."""
    return list(rows.select_for_update(of=("self",)).for_lists().order_by("pk"))


def depart(by: Principal, user: User) -> None:
    """End the person's votes and broken glass, inside the transaction that lets them go.

    What they requested stays, and its record says that they left.
    """
    for change in _locked(_let_through_by(user)):
        standing = Vote.objects.standing().filter(user=user, proposal__change=change)
        if standing.update(withdrawn_at=timezone.now()):
            note_event(
                change, by=by, action="change.withdraw", detail=_("The voter left."), voter=user.username
            )
        reopen_if_unmet(change, by=by, note=_("A voter left; votes are needed again."))
    for change in Change.objects.open().filter(requested_by=user).for_lists():
        note = _("Whoever requested it left; it stays, and others may start or cancel it.")
        note_event(change, by=by, action="change.requester_left", detail=note, requester=user.username)


def lose_role(by: Principal, tenant: Tenant, user: User) -> None:
    """Ask for votes again at once where this person's no longer do. Inside the transaction that takes the role."""
    for change in _locked(_let_through_by(user).filter(environment__tenant=tenant)):
        reopen_if_unmet(change, by=by, note=_("A voter no longer holds the role; votes are needed again."))
