"""Votes on a change that did not come through count for its retry, if that does nothing that was not approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from environments.changes.abilities import barred_voters
from environments.changes.gates import asked
from environments.changes.kinds import kind_of
from environments.changes.models import Change, Vote
from environments.changes.transitions import note_event
from environments.models import Membership
from portal.accounts.principals import Principal

# Of what is new, so many lines are kept for the page.
SHOWN: Final = 30


def carry(change: Change, *, by: Principal) -> None:
    """Give the change's fresh proposal the votes of what it tries again. Inside the transaction that stores it.

    What it would do beyond what was approved then is kept in the proposal's facts ("beyond") instead.
    """
    earlier = change.retry_of
    if earlier is None or earlier.proposal is None or change.proposal is None:
        return
    votes = _fit(change, earlier)
    if not votes:
        return
    new = kind_of(change).no_more_than(change.proposal, earlier.proposal)
    if new:
        change.proposal.facts |= {"beyond": {"count": len(new), "new": new[:SHOWN]}}
        change.proposal.save(update_fields=["facts"])
        note_event(change, by=by, action="change.ask_again", beyond=new[:SHOWN], count=len(new))
        return
    for vote, roles in votes:
        Vote.objects.create(
            proposal=change.proposal,
            user=vote.user,
            decision=vote.decision,
            comment=vote.comment,
            roles=sorted(roles),
            # When the person looked at it: that is what its age is counted from.
            at=vote.at,
            carried_from=vote,
        )
    names = [vote.user.username for vote, _roles in votes]
    note_event(change, by=by, action="change.carry_votes", voters=names, earlier=str(earlier.uuid))


def _fit(change: Change, earlier: Change) -> list[tuple[Vote, set[str]]]:
    """Standing approvals of the earlier change that may count here, with the roles their voters hold now."""
    since = timezone.now() - timedelta(hours=settings.APPROVAL_TTL_HOURS)
    given = Vote.objects.counting_for(earlier).filter(decision=Vote.Decision.APPROVE, at__gt=since)
    barred = set(barred_voters(change))
    # Whoever has decided here, or taken a carried vote back, is not spoken for.
    barred |= set(Vote.objects.counting_for(change).values_list("user_id", flat=True))
    withdrawn = Vote.objects.filter(proposal__change=change).exclude(withdrawn_at=None)
    barred |= set(withdrawn.values_list("user_id", flat=True))
    found = []
    for vote in given.exclude(user__in=barred).filter(user__is_active=True).select_related("user"):
        held = Membership.objects.filter(tenant=change.environment.tenant_id, user=vote.user)
        roles = set(held.values_list("role", flat=True))
        if roles & _wanted(change):
            found.append((vote, roles))
    return found


def _wanted(change: Change) -> set[str]:
    assert change.proposal is not None
    return {role for gate in asked(change.environment, change.proposal.facts) for role in gate.roles}
