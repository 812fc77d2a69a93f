"""What follows a state that no run of the portal wrote, and what a gated edit leaves behind."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.utils import timezone
from kombu.exceptions import KombuError

from environments.changes.lifecycle import FINAL
from environments.models import Environment
from environments.runs import inventory
from environments.runs.models import StateEdit, StateVersion
from portal.terraform.errors import StateUnreadable

logger = logging.getLogger(__name__)
AGAIN = timedelta(minutes=1)


def send_due_inventories() -> None:
    """Put states that a command line wrote on the queue; each is due again in a minute should the message be lost."""
    now = timezone.now()
    due = StateVersion.objects.filter(inventory_due_at__lte=now)
    for environment_id in set(due.order_by().values_list("environment_id", flat=True)):
        due.filter(environment_id=environment_id).update(inventory_due_at=now + AGAIN)
        try:
            current_app.send_task("runs.refresh_inventory", args=[environment_id], queue="housekeeping")
        except (KombuError, OSError):
            logger.warning("Could not send the refresh of an inventory", exc_info=True)


def refresh_inventory(environment_id: int) -> None:
    """Read the newest state into the inventory; what came while it was read stays due."""
    environment = Environment.objects.select_related("tenant").get(pk=environment_id)
    due = StateVersion.objects.filter(environment=environment, inventory_due_at__isnull=False)
    seen = list(due.values_list("pk", flat=True))
    try:
        inventory.refresh(environment)
    except StateUnreadable:
        logger.warning("The newest state of %s cannot be read; its inventory stays", environment)
    StateVersion.objects.filter(pk__in=seen).update(inventory_due_at=None)


def drop_left_contents() -> None:
    """Imported states of changes that ended without using them: nobody needs them any more."""
    left = StateEdit.objects.filter(content__isnull=False, change__status__in=FINAL)
    left.update(content=None)
