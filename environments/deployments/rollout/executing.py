"""Doing what was approved, one service after the other; every visit is one look and at most one step.

Revisions are registered for all services first, then the one-off task runs, then each service is updated,
watched and proven before the next one begins. What goes wrong brings back whatever was touched.
"""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later, ToolFailure
from environments.changes.work import Work
from environments.deployments.models import Act, DeploymentPart, Step
from environments.deployments.proving import proof
from environments.deployments.proving.back_again import write
from environments.deployments.rollout import (
    before,
    registering,
    stopping,
    telling,
    timing,
    troubles,
    updating,
    watching,
)
from environments.deployments.rollout.plan import Plan
from environments.deployments.rollout.stopping import Stop
from portal.aws.errors import AwsError

PROOF_PAUSE = 3.0


def execute(work: Work) -> None:
    """Begin. Raises Later, ToolFailure, Cancelled."""
    resume(work)


def resume(work: Work) -> None:
    """One look, perhaps one step; returns when every service runs as approved. Raises as execute."""
    plan = Plan.of(work)
    try:
        _visit(plan)
    except AwsError as refused:
        troubles.bear(plan, refused)
    except Later:
        troubles.over(plan)
        raise


def _visit(plan: Plan) -> None:
    if plan.deployment.retreat:
        stopping.go_on(plan)
    try:
        if plan.work.wishes()[0]:
            raise Stop(_("It was cancelled."), cancelled=True)
        _forward(plan)
    except Stop as stop:
        stopping.begin(plan, stop)
        stopping.go_on(plan)


def settle(work: Work) -> None:
    """After it failed or was cancelled: say what each service runs now."""
    plan = Plan.of(work)
    for text in telling.what_runs(plan):
        work.say(text)


def _forward(plan: Plan) -> None:
    """The next step. Returns when there is none; raises Later, Stop, AwsError."""
    for part in plan.parts:
        if plan.deployment.act != Act.SCALE and registering.due(part, plan.proposal_of(part)):
            registering.register(plan.work, plan.access, part, plan.proposal_of(part))
    before.run(plan)
    for part in plan.parts:
        if part.step != Step.DONE:
            _advance(plan, part)


def _advance(plan: Plan, part: DeploymentPart) -> None:
    """Take one service to its end. Raises Later, Stop, AwsError."""
    if part.step == Step.REGISTERING and registering.stays(part, plan.proposal_of(part)):
        # It runs what was approved already: nothing is told to ECS, it is only proven.
        write(plan.work, part, step=Step.PROVING, started_at=timezone.now())
    elif part.step not in (Step.WATCHING, Step.PROVING):
        try:
            updating.update(plan.work, plan.access, part, plan.proposal_of(part), plan.declaration_of(part))
        except ToolFailure as failure:
            raise Stop(failure.message, failure.hint, part=part) from failure
        raise Later(watching.pace(part))
    if part.step == Step.WATCHING:
        _watch(plan, part)
    _prove(plan, part)
    words = {"service": part.service, "n": telling.seconds(part)}
    plan.work.say(_("%(service)s: done after %(n)s s.") % words)


def _watch(plan: Plan, part: DeploymentPart) -> None:
    seen = watching.look(plan.work, part)
    if seen.state == "completed":
        write(plan.work, part, step=Step.PROVING)
        return
    if seen.state != "moving":
        raise stopping.stop_of(part, seen)
    minutes = timing.overdue(part, plan.declaration_of(part))
    if minutes is not None:
        text = _("%(service)s: the rollout was not over after %(n)s minutes.")
        raise Stop(text % {"service": part.service, "n": minutes}, part=part)
    raise Later(watching.pace(part))


def _prove(plan: Plan, part: DeploymentPart) -> None:
    """The next service begins when this one is proven."""
    found = proof.proven(plan.access, part)
    if found.replaced:
        raise Stop(f"{part.service}: {found.text}", part=part, left=True)
    if found.ok is None and timing.overdue(part, plan.declaration_of(part)) is None:
        plan.say_once(part, found.text)
        raise Later(PROOF_PAUSE)
    if not found.ok:
        raise Stop(f"{part.service}: {found.text}", part=part)
    write(plan.work, part, step=Step.DONE, finished_at=timezone.now())
