"""What differs between the proposals of a change, first of all from the one a person last voted on."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import kind_of
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


def earlier_proposals(change: Change) -> list[Proposal]:
    """Proposals before the current one, the newest first."""
    if change.proposal is None:
        return []
    return list(change.proposals.filter(number__lt=change.proposal.number).order_by("-number"))


def chosen(change: Change, user: User, wanted: str = "") -> Proposal | None:
    """The earlier proposal to compare with: the one asked for, else the last one voted on, else the one before."""
    earlier = earlier_proposals(change)
    by_number = {str(proposal.number): proposal for proposal in earlier}
    voted = last_voted(change, user)
    fallback = by_number.get(str(voted.number)) if voted else None
    return by_number.get(wanted) or fallback or (earlier[0] if earlier else None)


def context(change: Change, user: User, wanted: str = "") -> dict[str, Any]:
    """What the part of the page about differences shows; reads both proposals, so it is asked for by itself."""
    before = chosen(change, user, wanted)
    found = None
    if before is not None and change.proposal is not None and before.digest != change.proposal.digest:
        found = kind_of(change).compare(before, change.proposal)
    return {
        "before": before,
        "earlier": earlier_proposals(change),
        "same": before is not None
        and change.proposal is not None
        and before.digest == change.proposal.digest,
        "comparison": found,
    }
