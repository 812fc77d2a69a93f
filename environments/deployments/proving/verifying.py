"""Proving the outcome: what runs is what was approved, the declared checks say yes, the alarms stay quiet.

Every visit is one look; what was found so far stands in `Deployment.verification`:
    {"stage": proving|checking|baking|confirming|going_back, "since": when that stage began,
     "alarms": [{"name", "state", "reason", "since", "before": fired already before the deployment}],
     "alarms_at", "alarms_error", "blind_since": since when the alarms could not be read,
     "proof": text, "overtaken": title of the newer deployment that ended the bake,
     "wrong": {"why", "left": why it does not go back: left|rollback|busy, "busy": who deploys}}
Unknown is never taken for good: what cannot be read for long ends the change as not proven.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later, Verdict
from environments.changes.models import Change
from environments.changes.work import Work
from environments.deployments.models import Deployment, DeploymentPart, Outcome, Step
from environments.deployments.proving import baking, checks, outcome_words, retreating
from environments.deployments.proving.back_again import write
from environments.deployments.proving.observing import Wrong, age, enter, lasted, note, parts_of
from environments.deployments.proving.proof import proven
from environments.deployments.rollout.stopping_words import UNDER_WATCH
from environments.deployments.services import access_of
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

# So long a completed deployment may take until all its tasks run, or AWS until it answers.
PATIENCE: Final = timedelta(minutes=10)


def verify(work: Work) -> Verdict:
    """One look; raises Later until there is a verdict."""
    deployment = Deployment.objects.select_related("change__environment__account").get(change=work.change)
    parts = parts_of(deployment)
    if deployment.verification.get("wrong"):
        return retreating.go_on(work, deployment, parts)
    if not deployment.verification:
        enter(work, deployment, "proving")
    access = access_of(work.change.environment)
    try:
        if access is None:
            raise Wrong(_("The environment has no AWS account any more."), back=False)
        return _forward(work, deployment, parts, access)
    except Wrong as wrong:
        retreating.begin(work, deployment, wrong)
        return retreating.go_on(work, deployment, parts)
    except AwsError as error:
        return _unreadable(work, deployment, parts, error)


def _forward(
    work: Work, deployment: Deployment, parts: list[DeploymentPart], access: AccountAccess
) -> Verdict:
    """The stages, one after the other. Raises Later, Wrong, AwsError."""
    if work.wishes()[0] and deployment.act in UNDER_WATCH:
        who = Change.objects.values_list("cancel_requested_by", flat=True).get(pk=work.change.pk)
        raise Wrong(_("%(who)s asked to stop it and go back while it was observed.") % {"who": who})
    if deployment.verification["stage"] == "proving":
        _prove(work, deployment, parts, access)
        enter(work, deployment, "checking")
    if deployment.verification["stage"] == "checking":
        checks.look(work, deployment, parts, access)
        baking.begin(work, deployment, parts)
        enter(work, deployment, "baking" if deployment.bake_until else "confirming")
    if deployment.verification["stage"] == "baking":
        try:
            baking.look(work, deployment, parts, access)
        except baking.Overtaken as newer:
            note(work, deployment, overtaken=newer.title)
            work.say(outcome_words.overtaken(newer.title))
            return _succeed(work, deployment, parts)
        enter(work, deployment, "confirming")
    if deployment.bake_until:
        # A bake is long: what ran at its begin may have died since.
        _prove(work, deployment, parts, access)
    return _succeed(work, deployment, parts)


def _prove(work: Work, deployment: Deployment, parts: list[DeploymentPart], access: AccountAccess) -> None:
    """Every service runs as approved. Raises Later while one does not yet, Wrong when it will not."""
    texts = []
    for part in parts:
        found = proven(access, part)
        text = f"{part.service}: {found.text}"
        if found.replaced:
            raise Wrong(outcome_words.replaced(part, text), back=False)
        if found.ok is None and age(deployment) < PATIENCE:
            note(work, deployment, proof=text)
            raise Later(2.0 if age(deployment).total_seconds() < 30 else 10.0)
        if not found.ok:
            raise Wrong(text)
        texts.append(text)
    note(work, deployment, proof="\n".join(texts))
    for text in texts:
        work.say(text)


def _succeed(work: Work, deployment: Deployment, parts: list[DeploymentPart]) -> Verdict:
    for part in parts:
        ended = part.finished_at or timezone.now()
        write(work, part, outcome=Outcome.SUCCEEDED, step=Step.DONE, finished_at=ended)
    return Verdict(ok=True, summary=outcome_words.success(deployment, parts))


def _unreadable(work: Work, deployment: Deployment, parts: list[DeploymentPart], error: AwsError) -> Verdict:
    """AWS does not answer: ask again for a while, then say that nobody knows. What runs is left running."""
    if "unread_since" not in deployment.verification:
        work.say(_("AWS could not be asked; it is tried again: %(why)s") % {"why": error})
    if not lasted(work, deployment, "unread_since", PATIENCE):
        raise Later(15.0)
    text = _("It was deployed, but whether it runs as approved could not be read: %(why)s") % {"why": error}
    retreating.begin(work, deployment, Wrong(text, back=False))
    return retreating.go_on(work, deployment, parts)
