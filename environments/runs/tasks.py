"""What Celery carries for runs: looks at drift, on the housekeeping queue so that they delay no apply."""

from __future__ import annotations

from celery import shared_task

from environments.runs.drift import checks
from environments.runs.live import checks as live
from environments.runs.states import copying, upkeep


@shared_task(name="runs.check_drift", ignore_result=True)  # type: ignore[untyped-decorator]
def check_drift(environment_id: int) -> None:
    """Look at one environment's drift, if nobody does already."""
    checks.check(environment_id)


@shared_task(name="runs.check_live", ignore_result=True)  # type: ignore[untyped-decorator]
def check_live(environment_id: int) -> None:
    """Look at what stands in one environment's AWS beside its state, if nobody does already."""
    live.check(environment_id)


@shared_task(name="runs.refresh_inventory", ignore_result=True)  # type: ignore[untyped-decorator]
def refresh_inventory(environment_id: int) -> None:
    """Read the inventory from a state that a command line wrote."""
    upkeep.refresh_inventory(environment_id)


@shared_task(name="runs.copy_states", ignore_result=True)  # type: ignore[untyped-decorator]
def copy_states(environment_id: int) -> None:
    """Write what is due of one environment's states into its account's bucket."""
    copying.copy_all(environment_id)
