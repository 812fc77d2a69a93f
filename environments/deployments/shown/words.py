"""What a deployment does, in sentences: consequences, strategy, how it is watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.deployments.asked.strategies import OPTIONS
from environments.deployments.models import Act, Deployment, DeploymentPart, ServiceProposal, Strategy
from environments.deployments.services import Service
from environments.deployments.shown.revisions import image_name
from portal.core.templatetags.times import duration


def consequences(
    deployment: Deployment, parts: Sequence[DeploymentPart], proposals: Iterable[ServiceProposal]
) -> list[str]:
    """What it does to running things, what hurts most first."""
    by_part = {one.part_id: one for one in proposals}
    found = [*_before(deployment)]
    for part in parts:
        found += _of_part(deployment, part, by_part.get(part.pk))
    if deployment.act == Act.ROLLBACK:
        found.append(
            _("Secret values, what migrations did to a database, and what Terraform owns do not come back.")
        )
    return found


def _before(deployment: Deployment) -> list[str]:
    task = deployment.before_task
    if not task:
        return []
    command = " ".join(str(word) for word in task.get("command", []))
    return [
        _("First a one-off task runs “%(command)s”. When it fails, nothing is deployed.")
        % {"command": command}
    ]


def _of_part(deployment: Deployment, part: DeploymentPart, proposal: ServiceProposal | None) -> list[str]:
    words: dict[str, Any] = {"service": part.service}
    if deployment.act == Act.SCALE:
        return [_("%(service)s is scaled; tasks that run on are not touched.") % words]
    if deployment.act == Act.RESTART:
        return [_("Every task of %(service)s is replaced by a new one of the same image.") % words]
    if proposal is None:
        return [_("The tasks of %(service)s are replaced.") % words]
    words["after"] = image_name(proposal.tag, proposal.digest)
    words["before"] = image_name("", proposal.running_digest) or _("an unknown image")
    if words["after"] and proposal.digest != proposal.running_digest:
        return [_("The tasks of %(service)s are replaced: image %(before)s → %(after)s.") % words]
    return [_("The tasks of %(service)s are replaced; the image stays.") % words]


def strategy_lines(deployment: Deployment, services: Sequence[Service]) -> list[str]:
    """How it goes on and how it is watched."""
    found = [] if deployment.act == Act.SCALE else [_strategy(deployment)]
    alarms = sorted({name for service in services for name in service.declaration.alarms})
    bake = bake_seconds(deployment, services)
    if bake and alarms:
        text = _(
            "Afterwards these alarms are watched for %(time)s: %(names)s. When one fires, it goes back by itself."
        )
        found.append(text % {"time": duration(bake), "names": ", ".join(alarms)})
    elif bake:
        found.append(
            _(
                "Afterwards it is watched for %(time)s; the blueprint names no alarms, so only tasks are looked at."
            )
            % {"time": duration(bake)}
        )
    elif alarms:
        found.append(
            _("While it rolls out these alarms are watched: %(names)s.") % {"names": ", ".join(alarms)}
        )
    else:
        found.append(_("No alarms are watched: the blueprint names none."))
    checks = [
        check.name if len(services) == 1 else f"{check.name} ({service.name})"
        for service in services
        for check in service.declaration.checks
    ]
    if checks:
        text = ngettext(
            "Then this check has to pass: %(names)s.",
            "Then these checks have to pass: %(names)s.",
            len(checks),
        )
        found.append(text % {"names": ", ".join(checks)})
    return found


def bake_seconds(deployment: Deployment, services: Sequence[Service]) -> int:
    if deployment.bake_seconds is not None:
        return deployment.bake_seconds
    return max((service.declaration.bake_seconds for service in services), default=0)


def _strategy(deployment: Deployment) -> str:
    options: Mapping[str, Any] = {
        **{name: limits[2] for name, limits in OPTIONS.get(deployment.strategy, {}).items()},
        **deployment.strategy_options,
    }
    if deployment.strategy == Strategy.BLUE_GREEN:
        return _(
            "Blue/green: a whole second set of tasks starts, then all traffic moves to it at once; "
            "the old set stands by until the bake is over."
        )
    if deployment.strategy == Strategy.CANARY:
        text = _(
            "Canary: %(percent)s %% of the traffic goes to new tasks first; %(minutes)s min later the rest."
        )
        return text % {"percent": options["canary_percent"], "minutes": options["canary_bake_minutes"]}
    if deployment.strategy == Strategy.LINEAR:
        text = _("Linear: traffic moves to new tasks in steps of %(percent)s %%, %(minutes)s min apart.")
        return text % {"percent": options["step_percent"], "minutes": options["step_bake_minutes"]}
    return _(
        "Rolling: new tasks start beside the old ones, which stop once the new are healthy. "
        "When new tasks keep failing, ECS goes back by itself."
    )
