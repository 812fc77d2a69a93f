"""What is left to do about a deployment that has ended: what runs now, and the way back."""

from __future__ import annotations

from typing import Any

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments import outcome_words
from environments.deployments.models import Outcome
from environments.deployments.shown.links import optional
from environments.deployments.shown.proposal import of_change
from environments.permissions import refusal, roles_of
from portal.accounts.models import User

BAD = frozenset({Status.FAILED, Status.REGRESSED, Status.INTERRUPTED})
BACK = frozenset({Outcome.ROLLED_BACK, Outcome.UNTOUCHED})


def told(change: Change, user: User) -> dict[str, Any]:
    """What runs now in a sentence a service, and where “Roll back” leads; nothing of one that never began."""
    if change.started_at is None or change.status == Status.SUCCEEDED:
        return {}
    _deployment, parts = of_change(change)
    place = change.environment
    url = optional("deployments:rollback", place.tenant.slug, place.slug)
    left = change.status in BAD and any(part.outcome not in BACK for part in parts)
    return {
        "now_runs": [text for text in map(outcome_words.now, parts) if text],
        "rollback_url": url if left else "",
        "rollback_denied": refusal(roles_of(user, place.tenant), "change.request"),
    }
