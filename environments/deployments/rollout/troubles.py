"""AWS that does not answer: asked again for a while, for a rollout goes on without us."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NoReturn

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.deployments.proving.back_again import write
from environments.deployments.rollout import stopping
from environments.deployments.rollout.plan import Plan
from portal.aws.errors import AwsError

PATIENCE: Final = timedelta(minutes=20)
PAUSE: Final = 10.0
SINCE: Final = "troubled_since"


def bear(plan: Plan, refused: AwsError) -> NoReturn:
    """Wait, or end the change: Later while there is hope, else ToolFailure.

    A refusal for good before anything was touched ends it at once; afterwards the permission may be mended
    while ECS goes on, and nobody gains from not looking again.
    """
    if refused.permanent and not plan.touched and not plan.deployment.retreat:
        stopping.begin(plan, stopping.Stop(refused.message, refused.hint))
        stopping.go_on(plan)
    first = plan.parts[0]
    since = first.progress.get(SINCE)
    if since is None:
        plan.work.say(_("AWS could not be asked; it is tried again: %(why)s") % {"why": refused.message})
        write(plan.work, first, progress={**first.progress, SINCE: timezone.now().isoformat()})
    elif timezone.now() - datetime.fromisoformat(since) > PATIENCE:
        raise stopping.give_up(plan, refused, int(PATIENCE.total_seconds() // 60)) from refused
    raise Later(PAUSE) from refused


def over(plan: Plan) -> None:
    """AWS answers (again)."""
    first = plan.parts[0]
    if SINCE in first.progress:
        kept = {name: value for name, value in first.progress.items() if name != SINCE}
        write(plan.work, first, progress=kept)
