"""The standing orders of the foundations: rooms register their own, these packages know no scheduler."""

from __future__ import annotations

from portal.audit.checkpoints import write_checkpoints
from portal.notifications.outbox import deliver_due, forget_sent
from portal.scheduler.registry import periodic


def register() -> None:
    """Called once, when the project's apps are ready."""
    periodic("audit.checkpoints", 300)(write_checkpoints)
    periodic("notifications.deliver", 10)(deliver_due)
    periodic("notifications.forget", 24 * 3600)(forget_sent)
