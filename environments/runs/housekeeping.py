"""What the scheduler does for runs: send looks at drift that are due, release locks of the dead, tidy folders."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.utils import timezone
from kombu.exceptions import KombuError

from environments.changes.lifecycle import FINAL
from environments.runs import credentials
from environments.runs.drift import checks
from environments.runs.drift.plan import DRIFT_FENCE
from environments.runs.leftovers import aftermath
from environments.runs.live import checks as live
from environments.runs.models import DriftCheck, LiveCheck, RunCredential, StateLock
from environments.runs.states import store
from portal.accounts.principals import SYSTEM

logger = logging.getLogger(__name__)


def send_drift_checks() -> None:
    """Put due looks on the queue; each is due again in a minute should the message be lost."""
    now = timezone.now()
    for row in checks.due(now):
        again = DriftCheck.objects.filter(pk=row.pk, due_at=row.due_at)
        if again.update(due_at=now + timedelta(minutes=1)):
            try:
                current_app.send_task("runs.check_drift", args=[row.environment_id], queue="housekeeping")
            except (KombuError, OSError):
                logger.warning("Could not send a look at drift", exc_info=True)


def send_live_checks() -> None:
    """Put due looks at what Terraform does not see on the queue; lost ones are due again in a minute."""
    now = timezone.now()
    for row in live.due(now):
        again = LiveCheck.objects.filter(pk=row.pk, due_at=row.due_at)
        if again.update(due_at=now + timedelta(minutes=1)):
            try:
                current_app.send_task("runs.check_live", args=[row.environment_id], queue="housekeeping")
            except (KombuError, OSError):
                logger.warning("Could not send a look at what Terraform does not see", exc_info=True)


def release_dead_locks() -> None:
    """State locks of ended changes whose Terraform is proven dead."""
    rows = StateLock.objects.filter(change__status__in=FINAL).select_related("environment__tenant", "change")
    for row in rows:
        # Under the dead run's own lock its last state still counts: it comes home before anybody else may write.
        if row.change is not None and not aftermath.closed(row.change):
            continue
        if store.unlock_dead(row.environment, by=SYSTEM):
            logger.warning("Released the state lock of %s: its Terraform is dead", row.environment)


def revoke_left_credentials() -> None:
    """Sign-ins of runs whose worker died before it could end them, once their Terraform is proven dead.

    UNLOCK ends those of an ended change, but Terraform may unlock while its dead worker's lease still runs.
    """
    left = RunCredential.objects.filter(revoked_at=None, change__status__in=FINAL).select_related("change")
    for row in left.exclude(fence=DRIFT_FENCE):
        held = StateLock.objects.filter(change=row.change, fence=row.fence).exists()
        if not held and store.tool_alive(row.change) is False:
            credentials.revoke(row.change, fence=row.fence)
    # A look at drift ends its own; this one was left by a worker that died over it.
    old = left.filter(fence=DRIFT_FENCE, created_at__lt=timezone.now() - checks.LEASE)
    for row in old:
        credentials.revoke(row.change, fence=row.fence)
