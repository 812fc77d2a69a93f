"""The one-off task before the first service: a database migration, usually. It fails: nothing was touched."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.deployments.models import DeploymentPart, OneOffTask, Step
from environments.deployments.proving.back_again import write
from environments.deployments.rollout import one_off
from environments.deployments.rollout.plan import Plan
from environments.deployments.rollout.stopping import Stop

SHOWN_LINES = 10


def run(plan: Plan) -> None:
    """Run it, once. Raises Later until it has ended, Stop when it did not end well, AwsError."""
    asked = plan.deployment.before_task
    if not asked or plan.touched:
        return
    part = _part(plan, str(asked.get("service") or ""))
    if part.step != Step.BEFORE_TASK:
        write(plan.work, part, step=Step.BEFORE_TASK)
    done = one_off.run(
        plan.work,
        part,
        purpose=OneOffTask.Purpose.BEFORE,
        name=str(asked.get("name") or _("before")),
        command=[str(word) for word in asked["command"]],
        container=str(asked.get("container") or part.container),
    )
    if done.exit_code != 0:
        raise Stop(
            _failure(done), _("Read its log above. Mend what it needs, then request the deployment again.")
        )


def _part(plan: Plan, named: str) -> DeploymentPart:
    for part in plan.parts:
        declared = plan.declaration_of(part)
        if named in (part.service_arn, part.service, part.address, declared.key):
            return part
    return plan.parts[0]


def _failure(done: OneOffTask) -> str:
    words = {"name": done.name, "code": done.exit_code, "why": done.stopped_reason}
    if done.exit_code is None:
        text = _("The task “%(name)s” before the deployment did not run to its end: %(why)s") % words
    else:
        text = _("The task “%(name)s” before the deployment ended with exit code %(code)s.") % words
    return "\n".join([text, *done.log_tail.splitlines()[-SHOWN_LINES:]])
