"""What a kind's phase works with: the change under a lease, its log, and the wishes of people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from environments.changes.leases import Lease
from environments.changes.log import LogWriter
from environments.changes.models import Change
from portal.accounts.principals import Principal
from portal.core.cas import compare_and_set
from portal.core.errors import StaleState


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

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction for rows beside the change's own: StaleState unless this worker still owns it.

        The row is held until the end, so that nobody takes the change over in between.
        """
        with transaction.atomic():
            mine = Change.objects.select_for_update().filter(pk=self.change.pk, fence=self.fence)
            if mine.values_list("pk", flat=True).first() is None:
                raise StaleState(_("Another worker goes on with it."))
            yield

    def wishes(self) -> tuple[bool, bool]:
        """(cancel asked for, kill asked for), read fresh."""
        row = Change.objects.values_list("cancel_requested_at", "kill_requested_at").get(pk=self.change.pk)
        return row[0] is not None, row[1] is not None
