"""What the gates ask about: how far a deployment goes, in one word (facts["mode"])."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from environments.deployments.models import Act, Deployment
from environments.deployments.proposal import counts
from environments.deployments.proposal.last_good import last_good

if TYPE_CHECKING:
    from environments.deployments.proposal.service_plans import ServicePlan

PLAIN: Final = {Act.DEPLOY: "deploy", Act.CONFIGURE: "configure", Act.RESTART: "restart"}


def mode_of(deployment: Deployment, plans: Sequence[ServicePlan]) -> str:
    """The mode of what all these plans do together: the one that asks for most."""
    if deployment.act == Act.SCALE:
        return "scale_out" if all(counts.only_out(*plan.counts) for plan in plans) else "scale_in"
    if deployment.act == Act.ROLLBACK:
        return "rollback" if all(_is_last_good(deployment, plan) for plan in plans) else "rollback_earlier"
    return PLAIN[Act(deployment.act)]


def _is_last_good(deployment: Deployment, plan: ServicePlan) -> bool:
    good = last_good(plan.service.arn, plan.running.arn, plan.running.digest)
    return (
        good is not None
        and deployment.rollback_to_id is not None
        and plan.part.wanted.get("revision") == good.registered_arn
        and plan.digest == good.digest
    )
