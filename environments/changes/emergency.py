"""Break-glass: one person's word in place of the votes, for exactly what that person read.

Only the votes are skipped: base, claims, holds and digest are checked as for any other start. It
ends as votes end: with another proposal, with the person's role, with the person's departure.
"""

from __future__ import annotations

from typing import Any, Final

from environments.changes.abilities import barred_voters
from environments.changes.gates import evaluate
from environments.changes.models import Change
from environments.models import Membership
from environments.permissions import VERBS

# What a move writes that takes the word back.
MENDED: Final[dict[str, Any]] = {
    "break_glass": False,
    "break_glass_reason": "",
    "break_glass_by": None,
    "break_glass_at": None,
    "break_glass_digest": "",
}


def stands(change: Change) -> bool:
    """Whether somebody broke the glass for what is proposed now, and still may."""
    if not change.break_glass or change.break_glass_by_id is None or change.proposal is None:
        return False
    if change.break_glass_digest != change.proposal.digest:
        return False
    return Membership.objects.filter(
        user_id=change.break_glass_by_id,
        user__is_active=True,
        tenant=change.environment.tenant_id,
        role__in=VERBS["change.break_glass"],
    ).exists()


def passed(change: Change) -> bool:
    """Whether the change may start as far as people are asked: every gate has its votes, or the glass is broken."""
    return stands(change) or all(state.passed for state in evaluate(change, barred=barred_voters(change)))
