"""What differs from the proposal a person last voted on."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.changes.models import Change, Proposal, Vote
from portal.accounts.models import User


def last_voted(change: Change, user: User) -> Proposal | None:
    """The newest proposal of this change that the person voted on."""
    vote = (
        Vote.objects.filter(proposal__change=change, user=user)
        .select_related("proposal")
        .order_by("-at")
        .first()
    )
    return vote.proposal if vote else None


def sentence(change: Change, user: User) -> str:
    """One line for the gate card; empty when nothing differs or the person never voted."""
    seen = last_voted(change, user)
    if seen is None or change.proposal is None or seen.digest == change.proposal.digest:
        return ""
    return _("This differs from proposal %(n)s, on which you voted: then “%(then)s”, now “%(now)s”.") % {
        "n": seen.number,
        "then": seen.summary,
        "now": change.proposal.summary,
    }
