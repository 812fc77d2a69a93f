"""A worker's hold on a change: database time, a fencing number, a heartbeat.

The fence stands in the WHERE of every write a worker makes, so one that was given up for dead and
comes back alters nothing.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from environments.changes.lifecycle import WORKING
from environments.changes.models import Change
from environments.changes.patience import patiently
from portal.core.clock import now
from portal.terraform.identity import identify

logger = logging.getLogger(__name__)
# How soon to try again while the database is away: who lives must say so at once when it is back.
AWAY_SECONDS = 1


class LeaseLost(Exception):
    """Somebody else owns the change now: stop, write nothing."""


def lease_fields(change: Change) -> dict[str, Any]:
    """What a move into a working status writes: the next fence and who holds it until when."""
    return {
        "fence": change.fence + 1,
        "lease_owner": identify(os.getpid()).as_dict(),
        "lease_until": now() + timedelta(seconds=settings.LEASE_SECONDS),
    }


RELEASED: dict[str, Any] = {"lease_until": None, "lease_owner": {}}


class Lease:
    """Renews from a thread of its own, so that a long parse does not look like a death."""

    def __init__(self, change: Change) -> None:
        self.change_id = change.pk
        self.fence = change.fence
        self.lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{change.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=settings.LEASE_SECONDS)

    def check(self) -> None:
        if self.lost.is_set():
            raise LeaseLost

    def hold(self) -> None:
        """Wait for a database that is away, then go on only if the change is still ours. Raises LeaseLost.

        For the end of a phase: what was done shall be written, whatever happened to the database meanwhile.
        """
        if not patiently(self.renew):
            self.lost.set()
        self.check()

    def renew(self) -> bool:
        """Extend the lease by one term; False when it is no longer ours."""
        until = now() + timedelta(seconds=settings.LEASE_SECONDS)
        return (
            Change.objects.filter(pk=self.change_id, fence=self.fence, status__in=WORKING).update(
                lease_until=until
            )
            == 1
        )

    def _beat(self) -> None:
        try:
            pause = settings.HEARTBEAT_SECONDS
            while not self._stop.wait(pause):
                pause = settings.HEARTBEAT_SECONDS
                try:
                    if not self.renew():
                        self.lost.set()
                        return
                except DatabaseError:
                    # The database may be away for a moment; the lease's term decides, not one failure.
                    pause = min(pause, AWAY_SECONDS)
                    logger.warning("Could not renew the lease of change %s", self.change_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()
