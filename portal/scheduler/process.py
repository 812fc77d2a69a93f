"""The scheduler process: leads if it can, and runs what is due.

Due times live in the database, so a restart neither forgets nor repeats. A second scheduler waits as a
spare. Each occurrence is claimed by moving its due time, so even two leaders (one of them late) never start
the same one twice. Urgent functions (the engine's) have a thread of their own: a mail server that does not
answer must not keep a dead worker's change waiting.
"""

import logging
import threading
import time
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from portal.core.clock import now
from portal.scheduler import heartbeats, leadership
from portal.scheduler.models import DueRow, Heartbeat
from portal.scheduler.registry import Periodic, registered

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# A function that runs longer is taken for stuck: leadership lapses, the spare takes over, /readyz says so.
STUCK_SECONDS = 600.0


class Scheduler:
    """One scheduler. `run()` returns after `stop()` and the function that is just running."""

    def __init__(self) -> None:
        self.owner = leadership.new_owner()
        self.leading = False
        self._stopping = threading.Event()
        self._running: dict[str, float] = {}

    def stop(self) -> None:
        """Ask `run` to return. Safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Run what is due until `stop`."""
        beside = [
            threading.Thread(target=self._pulse, name="pulse", daemon=True),
            threading.Thread(target=self._loop, kwargs={"urgent": True}, name="urgent", daemon=True),
        ]
        for thread in beside:
            thread.start()
        try:
            self._loop(urgent=False)
        finally:
            self._stopping.set()
            for thread in beside:
                thread.join(timeout=heartbeats.BEAT_SECONDS)
            leadership.resign(self.owner)
            heartbeats.end()

    def _loop(self, *, urgent: bool) -> None:
        try:
            while not self._stopping.is_set():
                wait = TICK_SECONDS
                try:
                    if self.leading:
                        wait = self.run_due(urgent=urgent)
                except DatabaseError:
                    logger.exception("The database did not answer; trying again.")
                close_old_connections()
                self._stopping.wait(wait)
        finally:
            if urgent:
                connections.close_all()

    def run_due(self, *, urgent: bool | None = None) -> float:
        """Run every function that is due; the seconds until the next one, at most TICK_SECONDS.

        `urgent`: only those that are, or are not; None: all.
        """
        functions = {
            name: one for name, one in registered().items() if urgent is None or one.urgent is urgent
        }
        moment = now()
        known = set(DueRow.objects.values_list("name", flat=True))
        DueRow.objects.bulk_create(
            [DueRow(name=name, next_at=moment) for name in functions if name not in known],
            ignore_conflicts=True,
        )
        for row in DueRow.objects.filter(next_at__lte=moment, name__in=functions).order_by("next_at"):
            if self._stopping.is_set() or not self.leading:
                return 0.0
            self._run_one(row, functions[row.name])
        upcoming = (
            DueRow.objects.filter(name__in=functions).order_by("next_at").values_list("next_at", flat=True)
        )
        first = upcoming.first()
        left = (first - now()).total_seconds() if first else TICK_SECONDS
        return min(max(left, 0.0), TICK_SECONDS)

    def _run_one(self, row: DueRow, function: Periodic) -> None:
        moment = now()
        claimed = DueRow.objects.filter(name=row.name, next_at=row.next_at).update(
            next_at=moment + timedelta(seconds=function.seconds), last_started_at=moment
        )
        if not claimed:
            return  # another scheduler was first
        started, error = time.monotonic(), ""
        self._running[row.name] = started
        try:
            function.function()
        except Exception as exc:  # one bad function must not stop the others
            logger.exception("Periodic function %s failed.", row.name)
            error = f"{type(exc).__name__}: {exc}"
        finally:
            del self._running[row.name]
        DueRow.objects.filter(name=row.name).update(
            last_finished_at=now(), last_error=error[:2000], last_duration=time.monotonic() - started
        )

    def _pulse(self) -> None:
        """Renew leadership and heartbeat beside the main thread, which a function may keep busy."""
        while not self._stopping.is_set():
            try:
                self._beat_once()
            except DatabaseError:
                # Without the database nobody can be told; leadership lapses by its expiry.
                self.leading = False
                logger.exception("The scheduler could not write its heartbeat.")
            finally:
                connections.close_all()
            self._stopping.wait(leadership.RENEW_SECONDS if self.leading else TICK_SECONDS)

    def _beat_once(self) -> None:
        stuck = [
            name for name, since in list(self._running.items()) if time.monotonic() - since > STUCK_SECONDS
        ]
        if stuck:
            if self.leading:
                logger.error(
                    "Periodic function %s has been running for too long; giving up leadership.", stuck[0]
                )
            self.leading = False
            return
        leading = leadership.lead(self.owner)
        if leading and not self.leading:
            logger.info("Leading: running %d periodic functions.", len(registered()))
        self.leading = leading
        heartbeats.beat(Heartbeat.Kind.SCHEDULER, {"leading": leading})
