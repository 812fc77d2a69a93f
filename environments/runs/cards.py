"""What this room adds to an environment's overview: whether what is there is still what was applied."""

from __future__ import annotations

from typing import Any

from environments.models import Environment
from environments.runs.models import DriftCheck
from portal.accounts.models import User

SHOWN = 5


def drift_card(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/runs/_drift_card.html: the last look, the first few rows; no look, no card."""
    check = DriftCheck.objects.filter(environment=environment).first()
    if check is None or (check.taken_at is None and not check.error):
        return {}
    return {
        "check": check,
        "rows": check.rows[:SHOWN],
        "rest": max(check.count - SHOWN, 0),
        "environment": environment,
    }
