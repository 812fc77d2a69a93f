"""Sending a change to a worker: only its id, only after commit; the sweeper sends again what got lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import KombuError

from environments.changes import kinds
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment

logger = logging.getLogger(__name__)


def dispatch(change: Change) -> None:
    """Send the change to a worker when the transaction commits; due again soon should the message be lost."""
    again = timezone.now() + timedelta(seconds=settings.RESEND_SECONDS)
    Change.objects.filter(pk=change.pk).update(due_at=again)
    change.due_at = again
    transaction.on_commit(lambda: send(str(change.uuid), queue=kinds.queue_of(change)))


def resend(change: Change) -> bool:
    """Send a change again whose message may be lost; False when the broker does not take it."""
    again = timezone.now() + timedelta(seconds=settings.RESEND_SECONDS)
    Change.objects.filter(pk=change.pk).update(due_at=again)
    return send(str(change.uuid), queue=kinds.queue_of(change)) is not False


def dispatch_waiting(environment: Environment) -> None:
    """Send the environment's approved changes whose time has come: nothing holds them up any more."""
    for change in Change.objects.filter(environment=environment, status=Status.APPROVED).exclude(due_at=None):
        dispatch(change)


def send(change_uuid: str, *, queue: str = "changes") -> bool:
    """Put the id on the queue. A broker that is away costs time, not the change: its row is due again."""
    try:
        current_app.send_task("changes.advance", args=[change_uuid], queue=queue)
    except (KombuError, OSError):
        logger.warning("Could not send change %s; the sweeper will", change_uuid, exc_info=True)
        return False
    return True
