"""Trying a change again that did not come through: a new change, asked for anew, approved already where it does no more."""

from __future__ import annotations

from environments.acts import acting
from environments.changes.abilities import can_retry
from environments.changes.actions import _locked, _require, request
from environments.changes.kinds import kind_of
from environments.changes.models import Change, Start
from environments.changes.transitions import note_event, target_of
from portal.accounts.principals import Principal


def retry(*, by: Principal, change: Change, reason: str = "") -> Change:
    """Ask for the same once more; the new change. Raises NotAllowed, StaleState, Conflict.

    One that was to start at a time waits for somebody to press Start: its time has passed.
    """
    with acting(by, change.environment, action="change.retry", target=target_of(change)):
        change = _locked(change)
        _require(by, change, can_retry)
        again = request(
            by=by,
            environment=change.environment,
            kind=change.kind,
            title=change.title,
            reason=reason.strip() or change.reason,
            ticket=change.ticket,
            links=change.links,
            start=Start.MANUAL if change.start == Start.AT else change.start,
            priority=change.priority,
            retry_of=change,
        )
        kind_of(change).repeat(change, again)
        note_event(change, by=by, action="change.retry", detail=reason, retry=str(again.uuid))
    return again
