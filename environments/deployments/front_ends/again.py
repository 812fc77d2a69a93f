"""Asking for the same release once more."""

from __future__ import annotations

from environments.changes.models import Change
from environments.deployments.front_ends import superseding
from environments.deployments.front_ends.models import FrontEndDeployment
from portal.accounts.principals import SYSTEM, Principal


def repeat(earlier: Change, change: Change) -> None:
    """Write the deployment of `change`, which tries `earlier` again; inside the act's transaction."""
    before = earlier.front_end
    superseding.take_turns(change.environment)
    again = FrontEndDeployment.objects.create(
        change=change,
        release_id=before.release_id,
        previous_id=before.previous_id,
        bucket=before.bucket,
        distribution_id=before.distribution_id,
    )
    by = SYSTEM
    if change.requested_by is not None:
        by = Principal(change.requested_by, "user", name=change.requested_by_name)
    superseding.replace_older(again, by=by)
