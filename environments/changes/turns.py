"""What a worker does with a message."""

from __future__ import annotations

from environments.changes import execution
from environments.changes.fairness import fairest
from portal.accounts.principals import Principal


def work(change_uuid: str, *, by: Principal) -> None:
    """One phase of the fairest change that lets it; `change_uuid` says only that there is work."""
    seen: set[int] = set()
    while True:
        change = fairest(named=change_uuid, besides=seen)
        if change is None or execution.advance(str(change.uuid), by=by):
            return
        # Somebody else took it at the same moment, or it may not go on after all: the next one then.
        seen.add(change.pk)
