"""What is left to do about a deployment that has ended: what runs now, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.history.facts import IN_FORCE
from environments.deployments.models import Outcome
from environments.deployments.proving import outcome_words
from environments.deployments.shown.links import optional
from environments.deployments.shown.proposal import of_change
from environments.permissions import refusal, roles_of
from portal.accounts.models import User

BAD = frozenset({Status.FAILED, Status.REGRESSED, Status.INTERRUPTED})
BACK = frozenset({Outcome.ROLLED_BACK, Outcome.UNTOUCHED})


def told(change: Change, user: User) -> dict[str, Any]:
    """What runs now in a sentence a service, and where “Roll back” leads; nothing of one that never began."""
    if change.started_at is None:
        return {}
    deployment, parts = of_change(change)
    place, good = change.environment, change.status == Status.SUCCEEDED
    left = change.status in BAD and any(part.outcome not in BACK for part in parts)
    offered = left or (good and deployment.act in IN_FORCE)
    url = optional("deployments:rollback", place.tenant.slug, place.slug)
    return {
        "now_runs": [] if good else [text for text in map(outcome_words.now, parts) if text],
        "rollback_url": f"{url}?{urlencode({'change': str(change.uuid)})}" if url and offered else "",
        "rollback_loud": left,
        # The way back comes before another try.
        "more_urgent": bool(left and url),
        "rollback_denied": refusal(roles_of(user, place.tenant), "change.request"),
    }
