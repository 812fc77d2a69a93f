"""What Celery carries for deployments: looks at services, on the housekeeping queue so that they delay nothing."""

from __future__ import annotations

from celery import shared_task

from environments.deployments.status import checks


@shared_task(name="deployments.check_services", ignore_result=True)  # type: ignore[untyped-decorator]
def check_services(environment_id: int) -> None:
    """Look at one environment's services, if nobody does already."""
    checks.check(environment_id)
