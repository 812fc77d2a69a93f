"""Writing a message in the caller's transaction, and delivering what is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from portal.core.cas import compare_and_set
from portal.core.clock import now
from portal.core.errors import StaleState
from portal.core.redaction import Redactor, mask_patterns
from portal.notifications.channels import DeliveryError, deliver
from portal.notifications.models import Channel, Message

logger = logging.getLogger(__name__)
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)
# A worker that dies while it sends leaves the message to another after this long.
CLAIMED_FOR = timedelta(minutes=2)
KEEP_SENT = timedelta(days=30)


def send(
    *,
    channel: str,
    address: str,
    subject: str,
    text: str,
    link: str,
    dedupe_key: str = "",
    payload: Mapping[str, Any] | None = None,
) -> Message:
    """Put a message into the outbox; it goes out after the caller's transaction has committed.

    A second message with the same `dedupe_key` is not written: the first is returned. Raises ValueError
    for an unknown channel or an empty address.
    """
    if channel not in Channel.values or not address:
        raise ValueError(f"A message needs a channel and an address, not {channel!r} and {bool(address)}")
    message = Message(
        channel=channel,
        address=address,
        subject=" ".join(subject.split()),
        text=text,
        link=link,
        payload=dict(payload or {}),
        dedupe_key=dedupe_key,
    )
    if dedupe_key:
        # The unique key decides, not a look before: two workers may tell the same story at once.
        Message.objects.bulk_create([message], ignore_conflicts=True)
        message = Message.objects.get(dedupe_key=dedupe_key)
    else:
        message.save()
    # Robust: the periodic delivery finds the row even when no broker takes this.
    transaction.on_commit(_deliver_soon, robust=True)
    return message


def _deliver_soon() -> None:
    from portal.notifications.tasks import deliver_messages

    deliver_messages.delay()


def deliver_due(limit: int = 50) -> int:
    """Try to deliver messages that are due, oldest first; returns how many went out.

    Harmless when several processes do it at once: each message is claimed by compare-and-set. A message
    goes out at least once; twice only if a worker dies between sending and noting it.
    """
    due = Message.objects.waiting().filter(due_at__lte=now()).order_by("due_at", "pk")[:limit]
    return sum(_try(message) for message in due)


def _try(message: Message) -> bool:
    tries = message.attempts + 1
    claim = Message.objects.waiting().filter(pk=message.pk, attempts=message.attempts, due_at=message.due_at)
    try:
        compare_and_set(claim, attempts=tries, due_at=now() + CLAIMED_FOR)
    except StaleState:
        return False
    mine = Message.objects.filter(pk=message.pk, attempts=tries)
    try:
        deliver(message)
    except DeliveryError as error:
        _postpone(mine, message, tries, error)
        return False
    mine.update(sent_at=now(), error="")
    return True


def _postpone(mine: QuerySet[Message], message: Message, tries: int, error: DeliveryError) -> None:
    why = mask_patterns(Redactor(_parts(message.address)).redact(str(error)))
    if error.permanent or tries >= MOST_ATTEMPTS:
        mine.update(gave_up_at=now(), error=why)
        logger.error("Message %s (%s) is given up: %s", message.pk, message.channel, why)
        return
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1))
    mine.update(due_at=now() + max(pause, error.retry_after), error=why)
    logger.warning("Message %s (%s) was not delivered, try %s: %s", message.pk, message.channel, tries, why)


def _parts(address: str) -> list[str]:
    """An address as error texts show it: whole, or without scheme and host."""
    path = address.partition("://")[2].partition("/")[2]
    return [address, f"/{path}", path] if path else [address]


def forget_sent() -> int:
    """Delete messages that went out more than 30 days ago; those given up stay. Returns how many."""
    deleted, _by_model = Message.objects.filter(sent_at__lt=now() - KEEP_SENT).delete()
    return deleted
