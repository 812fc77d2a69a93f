"""An event's content as rows of a table."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse

from portal.audit.models import AuditEvent, Outcome


def differences(event: AuditEvent) -> list[dict[str, Any]]:
    """Rows of components/diff_table.html: every key of before and after, those that changed first."""
    before, after = event.before or {}, event.after or {}
    rows = [
        {
            "name": name,
            "before": before.get(name),
            "after": after.get(name),
            "changed": name not in before or name not in after or before[name] != after[name],
            "before_missing": name not in before,
            "after_missing": name not in after,
        }
        for name in sorted({*before, *after})
    ]
    return sorted(rows, key=lambda row: not row["changed"])


def target_link(event: AuditEvent) -> str:
    """Where the target lives now; empty for what has no page of its own."""
    place = {
        "environment": ("environments:detail", event.target_id.split(".")),
        "tenant": ("environments:tenant", [event.target_id]),
        "change": ("changes:detail", [event.target_id]),
        "approval_policy": ("changes:policy", event.target_id.split(".")),
        "state": ("runs:state_versions", event.target_id.split(".")),
    }.get(event.target_type)
    never_came_to_be = event.outcome != Outcome.DONE and event.action.endswith(".create")
    if place is None or never_came_to_be:
        return ""
    try:
        return reverse(place[0], args=place[1])
    except NoReverseMatch:
        # The id was cut, or is from before ids looked like this: an old record stays readable.
        return ""
