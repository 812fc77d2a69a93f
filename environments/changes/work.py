"""What a kind's phase works with: the change under a lease, its log, and the wishes of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from environments.changes.leases import Lease
from environments.changes.log import LogWriter
from environments.changes.models import Change
from portal.accounts.principals import Principal
from portal.core.cas import compare_and_set


@dataclass
class Work:
    """One phase of one change on this worker."""

    change: Change
    lease: Lease
    log: LogWriter
    by: Principal

    @property
    def fence(self) -> int:
        return self.lease.fence

    def say(self, text: str) -> None:
        """One line of the portal's own in the log."""
        self.log.write(text)

    def set(self, **fields: Any) -> None:
        """Write fields of the change, if this worker still owns it."""
        compare_and_set(Change.objects.filter(pk=self.change.pk, fence=self.fence), **fields)
        for name, value in fields.items():
            setattr(self.change, name, value)

    def wishes(self) -> tuple[bool, bool]:
        """(cancel asked for, kill asked for), read fresh."""
        row = Change.objects.values_list("cancel_requested_at", "kill_requested_at").get(pk=self.change.pk)
        return row[0] is not None, row[1] is not None
