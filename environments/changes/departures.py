"""When a person leaves, their votes on what is still open end with them."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.actions import reopen_if_unmet
from environments.changes.lifecycle import WITHDRAWABLE
from environments.changes.models import Change, Vote
from environments.changes.transitions import note_event
from portal.accounts.models import User
from portal.accounts.principals import Principal


def end_votes(by: Principal, user: User) -> None:
    """Withdraw the person's standing votes, inside the transaction that lets them go."""
    open_votes = Vote.objects.standing().filter(user=user, proposal__change__status__in=WITHDRAWABLE)
    changes = list(
        Change.objects.select_for_update(of=("self",)).filter(proposals__votes__in=open_votes).for_lists()
    )
    open_votes.update(withdrawn_at=timezone.now())
    for change in changes:
        note_event(change, by=by, action="change.withdraw", detail=_("The voter left."), voter=user.username)
        reopen_if_unmet(change, by=by, note=_("A voter left; votes are needed again."))
