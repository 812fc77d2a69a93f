"""Saying that a process is alive, and asking who is."""

import os
import socket
from typing import Any

from portal.core.clock import now
from portal.scheduler.models import Heartbeat

BEAT_SECONDS = 5.0
# Four missed beats: a busy machine may be late once or twice.
FRESH_SECONDS = 20.0


def process_name() -> str:
    """This process as "host:pid"."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(kind: Heartbeat.Kind, detail: dict[str, Any]) -> None:
    """This process, of `kind`, is alive now. `detail` is stored beside its host and pid."""
    Heartbeat.objects.update_or_create(
        name=process_name(),
        defaults={
            "kind": kind,
            "at": now(),
            "detail": {"host": socket.gethostname(), "pid": os.getpid(), **detail},
        },
    )


def end() -> None:
    """This process is about to end and must no longer count."""
    Heartbeat.objects.filter(name=process_name()).delete()
