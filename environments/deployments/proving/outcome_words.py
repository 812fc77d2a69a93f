"""How a deployment ended, in words: for its page, for its messages, for whoever is woken by it. Reads rows only."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.models import Change
from environments.deployments.models import CheckResult, Deployment, DeploymentPart, Outcome
from environments.deployments.proving.proof import short


def success(deployment: Deployment, parts: Sequence[DeploymentPart]) -> str:
    """What was proven, one sentence after the other."""
    found = [deployment.verification.get("proof", "").replace("\n", " ")]
    done = CheckResult.objects.filter(part__in=parts, ok=True).count()
    if done:
        found.append(
            ngettext("%(n)s check passed.", "%(n)s checks passed.", done) % {"n": done}
            + (" " + _("They were simulated by the sandbox.") if simulated(parts) else "")
        )
    newer = deployment.verification.get("overtaken")
    if newer:
        found.append(overtaken(newer))
    elif deployment.bake_until:
        found.append(_bake(deployment))
    return " ".join(filter(None, found))


def simulated(parts: Sequence[DeploymentPart]) -> bool:
    """Whether an answer came from the sandbox instead of a load balancer."""
    return CheckResult.objects.filter(part__in=parts, detail__startswith=SIMULATED).exists()


SIMULATED = "Simulated: "


def _bake(deployment: Deployment) -> str:
    alarms = deployment.verification.get("alarms", [])
    if not alarms:
        return _("It was watched for its bake time; no alarms are declared, so only that it kept running.")
    words = {
        "OK": _("stayed quiet"),
        "INSUFFICIENT_DATA": _("had no data"),
        "ALARM": _("fired already before"),
        "MISSING": _("does not exist, so nobody watched it"),
    }
    told = [f"{alarm['name']} {words.get(alarm['state'], alarm['state'])}" for alarm in alarms]
    return _("During its bake time: %(alarms)s.") % {"alarms": ", ".join(told)}


def overtaken(title: str) -> str:
    return _("Its bake was cut short: “%(title)s” took over while all was quiet.") % {"title": title}


def successor(part: DeploymentPart) -> DeploymentPart | None:
    """The next deployment of the same service that this portal told ECS of; None when there is none."""
    rows = DeploymentPart.objects.filter(service_arn=part.service_arn).exclude(pk=part.pk)
    if part.intended_at is not None:
        rows = rows.filter(intended_at__gt=part.intended_at)
    told = rows.exclude(intended_at=None).select_related("deployment__change")
    return told.order_by("intended_at").first()


def replaced(part: DeploymentPart, told: str) -> str:
    """That something took this deployment's place, and which change of ours it was, if it was one."""
    newer = successor(part)
    if newer is None:
        return told + " " + _("No change of this portal did it. What runs now was left alone.")
    title = newer.deployment.change.title
    return told + " " + _("The change “%(title)s” did it; what it runs was left alone.") % {"title": title}


def runs_now(change: Change) -> str:
    """What each service of a deployment that did not come through runs now, as far as its rows tell."""
    parts = DeploymentPart.objects.filter(deployment__change=change).order_by("position")
    return " ".join(filter(None, (now(part) for part in parts)))


def now(part: DeploymentPart) -> str:
    """What one service runs now; "" when the rows do not tell."""
    names = {
        "service": part.service,
        "before": short(part.back_arn or part.previous_arn) or _("what it ran before"),
        "new": short(part.registered_arn) or _("the new revision"),
    }
    if part.outcome in {Outcome.ROLLED_BACK, Outcome.UNTOUCHED}:
        return _("%(service)s runs %(before)s, as before.") % names
    if part.outcome == Outcome.ROLLBACK_FAILED:
        return (
            _("%(service)s could not be brought back to %(before)s: look at it now, it may run nothing.")
            % names
        )
    if part.outcome == Outcome.SUCCEEDED or (part.outcome == Outcome.FAILED and part.registered_arn):
        return _("%(service)s was left on %(new)s.") % names
    return ""
