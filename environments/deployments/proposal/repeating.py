"""Asking for the same deployment again: the image by the digest that was proposed, not by what its tag means by now."""

from __future__ import annotations

from typing import Any

from environments.changes.models import Change
from environments.deployments.asked import superseding
from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
from portal.accounts.principals import SYSTEM, Principal


def repeat(earlier: Change, change: Change) -> None:
    """Write the deployment and parts of `change`, which tries `earlier` again; inside the act's transaction."""
    before = earlier.deployment
    superseding.take_turns(change.environment)
    again = Deployment.objects.create(
        change=change,
        act=before.act,
        strategy=before.strategy,
        strategy_options=before.strategy_options,
        bake_seconds=before.bake_seconds,
        before_task=before.before_task,
        rollback_to=before.rollback_to,
        promoted_from=before.promoted_from,
    )
    for part in before.parts.all():
        DeploymentPart.objects.create(
            deployment=again,
            position=part.position,
            address=part.address,
            service_arn=part.service_arn,
            service=part.service,
            cluster_arn=part.cluster_arn,
            container=part.container,
            wanted=_wanted(part),
        )
    superseding.replace_older(again, by=_asker(change))


def _wanted(part: DeploymentPart) -> dict[str, Any]:
    """As it was asked, the image resolved."""
    wanted = dict(part.wanted)
    proposed = (
        ServiceProposal.objects.filter(part=part).exclude(digest="").order_by("-proposal__number").first()
    )
    if proposed is not None and ("image" in wanted or "source" in wanted):
        wanted.pop("source", None)
        wanted |= {"image": proposed.digest, "tag": proposed.tag}
    return wanted


def _asker(change: Change) -> Principal:
    if change.requested_by is None:
        return SYSTEM
    return Principal(change.requested_by, "user", name=change.requested_by_name)
