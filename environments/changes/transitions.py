"""Moving a change: compare-and-set, its transition row and its audit event, in one transaction."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from environments.changes.lifecycle import MOVES, Status
from environments.changes.models import Change, Transition
from environments.permissions import actor
from portal import audit
from portal.accounts.principals import Principal
from portal.core.cas import compare_and_set
from portal.core.errors import StaleState


def target_of(change: Change) -> audit.Target:
    """The change as the audit log knows it."""
    return audit.Target("change", str(change.uuid), change.title)


def note_event(change: Change, *, by: Principal, action: str, detail: str = "", **data: Any) -> None:
    """Write an audit event about this change; `data` goes into the event's "after"."""
    audit.record(
        actor=actor(by, change.environment),
        action=action,
        target=target_of(change),
        tenant=change.environment.tenant.ref,
        environment=change.environment.slug,
        after=data or None,
        detail=detail,
    )


def move(
    change: Change,
    to: Status,
    *,
    by: Principal,
    action: str = "",
    note: str = "",
    held: int | None = None,
    **fields: Any,
) -> None:
    """Move the change to `to` if it still is what `change` says, else raise StaleState.

    Must run inside a transaction (the audit log insists). `held`, when given, must be the row's fence:
    a worker that lost its lease moves nothing. `fields` are written with the move.
    """
    old = Status(change.status)
    if to not in MOVES.get(old, frozenset()):
        raise StaleState(
            _("The change is already %(status)s.") % {"status": old.label.lower()},
            hint=_("Reload the page to see what happened."),
        )
    rows = Change.objects.filter(pk=change.pk, status=old, version=change.version)
    if held is not None:
        rows = rows.filter(fence=held)
    compare_and_set(rows, status=to, version=change.version + 1, **fields)
    Transition.objects.create(change=change, from_status=old, to_status=to, by=by.name, note=note)
    change.status, change.version = to, change.version + 1
    for name, value in fields.items():
        setattr(change, name, value)
    note_event(
        change, by=by, action=action or f"change.{to.value}", detail=note, status=to.value, was=old.value
    )
