"""What the scheduler does for the status of services: put the looks that are due on the queue."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.utils import timezone
from kombu.exceptions import KombuError

from environments.deployments.models import ServiceCheck
from environments.deployments.status import checks

logger = logging.getLogger(__name__)
TASK = "deployments.check_services"


def send_due() -> None:
    """Put due looks on the housekeeping queue; each is due again in a minute should the message be lost."""
    now = timezone.now()
    for row in checks.due(now):
        again = ServiceCheck.objects.filter(pk=row.pk, due_at=row.due_at)
        if again.update(due_at=now + timedelta(minutes=1)):
            try:
                current_app.send_task(TASK, args=[row.environment_id], queue="housekeeping")
            except (KombuError, OSError):
                logger.warning("Could not send a look at services", exc_info=True)
