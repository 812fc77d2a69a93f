"""What this room adds to an environment's overview: whether what is there is still what was applied."""

from __future__ import annotations

from typing import Any

from environments.models import Environment
from environments.runs.drift import rows as drift_rows
from environments.runs.live import shown as live_shown
from environments.runs.live.shown import Standing
from environments.runs.models import DriftCheck
from portal.accounts.models import User

SHOWN = 5


def drift_card(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/runs/_drift_card.html: the last look, the first few rows; no look, no card."""
    check = DriftCheck.objects.filter(environment=environment).first()
    beside = live_shown.standings([environment.pk]).get(environment.pk, Standing())
    looked = check is not None and (check.taken_at is not None or bool(check.error))
    if not looked and not beside.extras:
        return {}
    _check, judged = drift_rows.of(environment)
    return {
        "check": check if looked else None,
        "judged": judged,
        "rows": judged.rows[:SHOWN],
        "rest": max(judged.count - SHOWN, 0),
        "beside": beside,
        "environment": environment,
    }
