"""What this room adds to an environment's overview: its latest changes."""

from __future__ import annotations

from typing import Any

from environments.changes.models import Change
from environments.models import Environment
from portal.accounts.models import User

SHOWN = 5


def latest(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/changes/_card.html, in one query."""
    rows = Change.objects.filter(environment=environment).order_by("-created_at", "-id")
    return {"changes": list(rows[:SHOWN])}
