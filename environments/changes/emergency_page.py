"""What the pages say of a start without votes: the buttons, the banner's facts, the form's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import reviews
from environments.changes.abilities import Ability
from environments.changes.gates import GateState
from environments.changes.lifecycle import OPEN
from environments.changes.models import Change, Review


def buttons(change: Change, able: Mapping[str, Ability]) -> list[dict[str, Any]]:
    """The way into an emergency, and out of its debt, for those who may."""
    found = []
    if able["can_review"].allowed:
        found.append(_button(change, _("Review the start"), "review", "primary", "outline/eye-check"))
    if able["can_break_glass"].allowed:
        label = _("Start without approval")
        found.append(_button(change, label, "break_glass", "plain", "outline/urgent"))
    return found


def _button(change: Change, label: str, name: str, variant: str, icon: str) -> dict[str, Any]:
    return {
        "label": label,
        "url": reverse(f"changes:{name}", args=[change.uuid]),
        "variant": variant,
        "method": "get",
        "dialog": "",
        "icon": icon,
    }


def facts(change: Change) -> dict[str, Any]:
    """The banner of a change that started, or is about to start, without votes; asked for every second."""
    if not change.break_glass or (change.started_at is None and change.status not in OPEN):
        return {"emergency": None}
    review = Review.objects.filter(change=change).select_related("reviewed_by").first()
    late = review is not None and review.reviewed_at is None and review.due_at < timezone.now()
    return {"emergency": {"by": change.break_glass_by, "review": review, "late": late}}


def debt(change: Change) -> Review | None:
    """The overdue review that the start of this open change waits, or will wait, for."""
    return reviews.stopping(change) if change.is_open else None


def skipped(states: list[GateState]) -> list[str]:
    """The gates whose votes are missing, in words."""
    return [
        _("%(gate)s: %(missing)s of %(needed)s votes missing")
        % {"gate": state.gate.name, "missing": state.missing, "needed": state.gate.votes}
        for state in states
        if not state.passed
    ]
