"""What the blueprint declares to be looked at after a deployment: an address that answers, a task that ends well.

A check that fails is tried again with growing pauses; one that keeps failing takes the deployment back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.changes.work import Work
from environments.deployments.declarations import DeclaredCheck, DeclaredTask
from environments.deployments.models import Act, CheckResult, Deployment, DeploymentPart, OneOffTask
from environments.deployments.proving.baking import declared
from environments.deployments.proving.observing import Wrong
from environments.deployments.proving.outcome_words import SIMULATED
from environments.deployments.rollout import one_off
from portal.aws import answers
from portal.aws.sessions import AccountAccess

# Seconds after each try of an address; the last one decides.
PAUSES: Final = (2.0, 4.0, 8.0, 15.0, 30.0)


def look(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart], access: AccountAccess) -> None:
    """Do the next check that has no answer; returns when all have passed. Raises Later, Wrong, AwsError."""
    if deployment.act == Act.SCALE:
        # Nothing of what answers is new.
        return
    for part in parts:
        found = declared(work.change.environment, part)
        for check in found.checks if found else ():
            _pass(work, part, check, access)


def _pass(work: Work, part: DeploymentPart, check: DeclaredCheck, access: AccountAccess) -> None:
    row = CheckResult.objects.filter(part=part, name=check.name[:120]).first()
    row = row or CheckResult(part=part, name=check.name[:120])
    if row.ok:
        return
    if row.ok is None:
        if check.task is not None:
            _task(work, part, row, check.task)
        else:
            _address(work, part, row, check, access)
    if row.ok is False:
        names = {"service": part.service, "name": check.name, "why": row.detail}
        raise Wrong(_("%(service)s: the check “%(name)s” failed: %(why)s") % names)


def _address(
    work: Work, part: DeploymentPart, row: CheckResult, check: DeclaredCheck, access: AccountAccess
) -> None:
    answer = answers.answer_of(access, check.url, part.service_arn, wanted=check.status)
    row.tries += 1
    names = {"url": check.url, "got": answer.status, "wanted": check.status}
    if answer.status == check.status:
        row.ok, text = True, _("%(url)s answered %(got)s.") % names
    else:
        row.ok = False if answer.refused or row.tries > len(PAUSES) else None
        got = _("%(url)s answered %(got)s instead of %(wanted)s.") if answer.status else "%(url)s:"
        text = f"{got % names} {answer.why}".strip()
    row.detail = f"{SIMULATED}{text}" if answer.simulated else text
    _keep(work, row)
    if row.ok is None:
        raise Later(PAUSES[row.tries - 1])


def _task(work: Work, part: DeploymentPart, row: CheckResult, task: DeclaredTask) -> None:
    done = one_off.run(
        work,
        part,
        purpose=OneOffTask.Purpose.CHECK,
        name=row.name,
        command=task.command,
        container=task.container or part.container,
    )
    row.tries += 1
    row.ok = done.exit_code == 0
    row.detail = (
        _("It ended with exit code %(code)s.") % {"code": done.exit_code}
        if done.exit_code is not None
        else done.stopped_reason or _("It did not end.")
    )
    _keep(work, row)


def _keep(work: Work, row: CheckResult) -> None:
    row.at = timezone.now()
    with work.fenced():
        row.save()
    mark = _("passed") if row.ok else _("did not pass yet") if row.ok is None else _("failed")
    work.say(_("Check “%(name)s” %(mark)s: %(why)s") % {"name": row.name, "mark": mark, "why": row.detail})
