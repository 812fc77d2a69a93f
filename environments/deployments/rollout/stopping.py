"""Stopping and going back: whatever was touched is brought back, the last service first, and the change ends.

Why is written before anything is done about it, so that whoever goes on after a worker's death goes on with it.
"""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, ToolFailure
from environments.deployments.models import DeploymentPart, Outcome, Step
from environments.deployments.proving import going_back
from environments.deployments.proving.back_again import write
from environments.deployments.proving.observing import set_fields
from environments.deployments.rollout import evidence, one_off, telling
from environments.deployments.rollout.plan import Plan
from environments.deployments.rollout.recognising import ours
from environments.deployments.rollout.verdicts import Seen
from portal.aws import ecs
from portal.aws.errors import AwsError


class Stop(Exception):
    """It cannot come out as approved: why, of which service, and whether that one is left as it is."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        part: DeploymentPart | None = None,
        left: bool = False,
        cancelled: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.part = message, hint, part
        self.left, self.cancelled = left, cancelled


def stop_of(part: DeploymentPart, seen: Seen) -> Stop:
    """What a look that found no good end means."""
    words = {"service": part.service, "why": seen.reason}
    if seen.state == "stopped":
        text = _(
            "%(service)s: somebody deployed something else while this was rolling out, and ECS gave this up. "
            "%(why)s"
        )
        hint = _("CloudTrail tells who called UpdateService. What runs now was left alone.")
        return Stop((text % words).strip(), hint, part=part, left=True)
    if seen.state == "rolled_back":
        return Stop(_("%(service)s: ECS gave it up and went back by itself. %(why)s") % words, part=part)
    return Stop(_("%(service)s: the rollout failed. %(why)s") % words, part=part)


def begin(plan: Plan, stop: Stop) -> None:
    """Write down why, with what the stopped tasks tell. Raises AwsError."""
    message, hint = stop.message.strip(), stop.hint
    if stop.part is not None and stop.part.intended_at is not None:
        evidence.capture(plan.work, stop.part)
        told = telling.cause(stop.part)
        if told:
            message, hint = f"{message}\n\n{told.text}", hint or told.remedy
    _recognise(plan)
    retreat = {
        "message": message,
        "hint": hint,
        "cancelled": stop.cancelled,
        "left": [stop.part.pk] if stop.left and stop.part else [],
    }
    plan.work.say(message)
    set_fields(plan.work, plan.deployment, retreat=retreat)


def go_on(plan: Plan) -> None:
    """Bring back what was touched; raises Later until all is, then Cancelled or ToolFailure."""
    retreat = plan.deployment.retreat
    why = str(retreat["message"]).partition("\n")[0]
    for part in reversed(plan.parts):
        if part.one_off_tasks.filter(finished_at=None).exists():
            one_off.stop(plan.work, part, why)
        if part.outcome:
            continue
        if part.intended_at is None:
            _end(plan, part, Outcome.UNTOUCHED, "")
        elif part.pk in retreat["left"]:
            _end(plan, part, Outcome.FAILED, why)
        else:
            going_back.go_back(plan.work, part, why)
    raise _ending(plan)


def _ending(plan: Plan) -> Exception:
    retreat = plan.deployment.retreat
    runs = "\n".join(telling.what_runs(plan))
    if retreat["cancelled"]:
        if not plan.touched:
            return Cancelled(_("Nothing was altered."))
        return Cancelled(f"{telling.how_far(plan)}\n{runs}")
    return ToolFailure(f"{retreat['message']}\n\n{runs}", str(retreat["hint"]))


def _end(plan: Plan, part: DeploymentPart, outcome: Outcome, why: str) -> None:
    ended = part.finished_at or (timezone.now() if part.started_at else None)
    write(plan.work, part, outcome=outcome, outcome_reason=why, step=Step.DONE, finished_at=ended)


def _recognise(plan: Plan) -> None:
    """A worker may have died between asking ECS and writing down its answer: look whether it was asked."""
    for part in plan.parts:
        if part.step == Step.UPDATING and not part.ecs_deployment_id:
            found = ecs.describe_services(plan.access, part.cluster_arn, [part.service_arn])
            mine = ours(part, found[0]) if found else {}
            if mine:
                write(plan.work, part, ecs_deployment_id=str(mine["id"]))


def give_up(plan: Plan, refused: AwsError, minutes: int) -> ToolFailure:
    """AWS has not answered for too long: nobody knows what runs, and the change says just that."""
    why = _("AWS could not be asked for %(n)s minutes: %(why)s") % {"n": minutes, "why": refused.message}
    for part in plan.parts:
        if part.outcome:
            continue
        untouched = part.intended_at is None
        _end(plan, part, Outcome.UNTOUCHED if untouched else Outcome.FAILED, "" if untouched else why)
    names = ", ".join(part.service for part in plan.touched)
    text = _("What of %(services)s runs now is not known: ECS goes on with what it was told.")
    return ToolFailure(f"{why}\n\n{text % {'services': names}}", refused.hint)
