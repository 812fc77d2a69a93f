"""Terraform's events as rows: one a resource and action, with Terraform's own times and words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from environments.changes.models import Change
from environments.runs.models import ResourceProgress
from portal.core.redaction import Redactor
from portal.terraform.events import DiagnosticEvent, Event, ResourceEvent, human_line

# An error longer than this is cut here; the log has it whole.
ERROR_LENGTH = 4000
STATES = {
    "apply_complete": ResourceProgress.State.DONE,
    "apply_errored": ResourceProgress.State.FAILED,
}


class Progress:
    """Writes what an apply's events tell. The same events twice leave the same rows."""

    def __init__(self, change: Change, redactor: Redactor) -> None:
        self._change = change
        self._redactor = redactor

    def __call__(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, ResourceEvent):
                if event.type == "apply_start" or event.type in STATES:
                    self._note(event)
            elif isinstance(event, DiagnosticEvent) and event.severity == "error" and event.address:
                self._explain(event)

    def _note(self, event: ResourceEvent) -> None:
        at = moment(event.timestamp)
        fields: dict[str, Any] = {"type": event.resource_type[:120]}
        if event.id_value:
            fields["resource_id"] = self._redactor.redact(event.id_value)[:1024]
        if event.type in STATES:
            fields |= {"state": STATES[event.type], "ended_at": at}
        ResourceProgress.objects.update_or_create(
            change=self._change,
            address=event.address[:500],
            action=event.action[:20],
            defaults=fields,
            create_defaults={**fields, "started_at": at},
        )

    def _explain(self, event: DiagnosticEvent) -> None:
        words = self._redactor.redact(human_line(event))[:ERROR_LENGTH]
        rows = ResourceProgress.objects.filter(change=self._change, address=event.address[:500])
        rows.filter(state=ResourceProgress.State.FAILED).update(error=words)


def moment(timestamp: str) -> datetime:
    """Terraform's time of an event; now when it tells none."""
    try:
        found = parse_datetime(timestamp)
    except ValueError:
        found = None
    return found if found is not None and timezone.is_aware(found) else timezone.now()


def counts(change: Change) -> dict[str, int]:
    """How many resources are done, failed, still running."""
    rows = list(change.progress.exclude(action="read").values_list("state", flat=True))
    return {name: rows.count(name) for name in ResourceProgress.State.values}


def sentence(change: Change) -> str:
    """What was and what was not done, for a change that stopped midway."""
    found = counts(change)
    planned = (
        change.proposal.resource_changes.exclude(action__in=["read", "move"]) if change.proposal else None
    )
    wanted = planned.count() if planned is not None else 0
    return _("Done: %(done)s, failed: %(failed)s, stopped midway: %(open)s, not begun: %(rest)s.") % {
        "done": found["done"],
        "failed": found["failed"],
        "open": found["running"],
        "rest": max(wanted - sum(found.values()), 0),
    }
