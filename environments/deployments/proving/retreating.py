"""What follows when a deployment that had completed turns out wrong: it goes back by itself, and says so.

Proving holds no claims. To go back they are taken first; who finds somebody else deploying leaves it to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import claims
from environments.changes.kinds import Verdict
from environments.changes.line import Line
from environments.changes.work import Work
from environments.deployments.models import Act, Deployment, DeploymentPart, Outcome, Step
from environments.deployments.proving import outcome_words
from environments.deployments.proving.back_again import write
from environments.deployments.proving.going_back import go_back
from environments.deployments.proving.observing import Wrong, enter, note
from environments.deployments.rollout import evidence, telling
from environments.deployments.rollout.task_logs import redacted
from portal.aws.errors import AwsError


def begin(work: Work, deployment: Deployment, wrong: Wrong) -> None:
    """Write down what is wrong, before anything is done about it."""
    why = redacted(wrong.why, work.log.redactor)
    work.say(why)
    left = "" if wrong.back else "left"
    if wrong.back and deployment.act == Act.ROLLBACK:
        # Back would be to what somebody has just fled from: a person decides.
        left = "rollback"
    note(work, deployment, wrong={"why": why, "left": left})
    enter(work, deployment, "going_back")


def go_on(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart]) -> Verdict:
    """Bring every service back, the last one first, and say how that went. Raises Later.

    The engine gives the claims back with the move that the verdict leads to.
    """
    wrong = deployment.verification["wrong"]
    if not wrong["left"]:
        busy = _take_claims(work)
        if busy:
            note(work, deployment, wrong={**wrong, "left": "busy", "busy": busy})
        else:
            _bring_back(work, parts, wrong["why"])
    return _verdict(work, deployment, parts)


def _take_claims(work: Work) -> str:
    """Hold the services again; in words, who holds them instead."""
    change = work.change
    if change.claims.active().exists():
        # Taken by a worker that died while it went back.
        return ""
    try:
        with work.fenced(), transaction.atomic():
            claims.take(change)
    except claims.Busy as busy:
        waiting = Line.around(change).behind(change)
        return (waiting or busy.waiting).text
    return ""


def _bring_back(work: Work, parts: Sequence[DeploymentPart], why: str) -> None:
    # One service after the other: a Later of one keeps the next waiting.
    for part in reversed(parts):
        go_back(work, part, why)


def _verdict(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart]) -> Verdict:
    wrong = deployment.verification["wrong"]
    for part in parts:
        if not part.outcome:
            _leave(work, part, wrong["why"])
    why = {
        "": "",
        "left": "",
        "rollback": _("A rollback does not go back by itself to what it was to replace."),
        "busy": _("It was not brought back, because somebody deploys already: %(busy)s")
        % {"busy": wrong.get("busy", "")},
    }[wrong["left"]]
    _keep_evidence(work, parts)
    message = " ".join(filter(None, [wrong["why"], why, outcome_words.runs_now(work.change)]))
    failed = any(part.outcome == Outcome.ROLLBACK_FAILED for part in parts)
    return Verdict(ok=False, summary=message, message=message, hint=_hint(parts, failed=failed))


def _keep_evidence(work: Work, parts: Sequence[DeploymentPart]) -> None:
    """Tasks that died after the rollout: ECS forgets them within the hour."""
    for part in parts:
        try:
            evidence.capture(work, part)
        except AwsError as refused:
            work.say(_("What stopped tasks say could not be read: %(why)s") % {"why": refused.message})


def _leave(work: Work, part: DeploymentPart, why: str) -> None:
    ended = part.finished_at or timezone.now()
    write(work, part, outcome=Outcome.FAILED, outcome_reason=why, step=Step.DONE, finished_at=ended)


def _hint(parts: Sequence[DeploymentPart], *, failed: bool) -> str:
    if failed:
        return _(
            "Look at the service's events and stopped tasks on this page. Roll it back to an older good "
            "deployment, or deploy an image that is known to start."
        )
    found = [told for part in parts if (told := telling.cause(part)) is not None]
    return f"{found[0].text} {found[0].remedy}".strip() if found else ""
