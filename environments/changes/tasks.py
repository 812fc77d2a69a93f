"""What Celery carries for the engine: a change's id."""

from __future__ import annotations

import os
import socket

from celery import shared_task

from environments.changes import turns
from portal.accounts.principals import worker


@shared_task(name="changes.advance", ignore_result=True)  # type: ignore[untyped-decorator]
def advance(change_uuid: str) -> None:
    """Take a change one phase on: the fairest, not always this one. Harmless when it comes twice or too late."""
    turns.work(change_uuid, by=worker(f"worker {socket.gethostname()}:{os.getpid()}"))
