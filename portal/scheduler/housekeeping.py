"""The scheduler's own periodic functions."""

from datetime import timedelta

from portal.core.clock import now
from portal.scheduler.registry import periodic

KEEP_HEARTBEATS = timedelta(days=1)


@periodic("scheduler.forget_heartbeats", seconds=3600)
def forget_heartbeats() -> None:
    """Processes that died without a word leave their row behind."""
    from portal.scheduler.models import Heartbeat

    Heartbeat.objects.filter(at__lt=now() - KEEP_HEARTBEATS).delete()
