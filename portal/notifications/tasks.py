"""What Celery carries for the outbox: a nudge."""

from celery import shared_task

from portal.notifications.outbox import deliver_due


@shared_task(name="notifications.deliver_messages", ignore_result=True)  # type: ignore[untyped-decorator]
def deliver_messages() -> int:
    """Deliver what is due now, instead of at the scheduler's next round."""
    return deliver_due()
