"""The bake: for a while after the rollout the environment's alarms are watched, and that nobody replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Later
from environments.changes.work import Work
from environments.deployments.declarations import Declaration
from environments.deployments.models import Act, Deployment, DeploymentPart, Strategy
from environments.deployments.proving import outcome_words
from environments.deployments.proving.back_again import write
from environments.deployments.proving.observing import Wrong, lasted, note, set_fields
from environments.deployments.proving.proof import standing
from environments.deployments.services import service_of
from environments.models import Environment
from portal.aws import alarms
from portal.aws.alarms import AlarmState
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

# Alarms that could not be read for this long leave nobody who could say that all is well.
BLIND: Final = timedelta(minutes=10)
NATIVE: Final = frozenset({Act.DEPLOY, Act.CONFIGURE})
MISSING: Final = "MISSING"
UNKNOWN: Final = "UNKNOWN"


class Overtaken(Exception):
    """A newer deployment of ours took over while it baked quietly: it was proven, its bake is just shorter."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title


def declared(environment: Environment, part: DeploymentPart) -> Declaration | None:
    """What the blueprint says of the part's service now; None when the inventory knows it no more."""
    service = service_of(environment, part.service_arn)
    return service.declaration if service else None


def begin(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart]) -> None:
    """Set until when it bakes; not at all when nobody asked for it."""
    if deployment.bake_until is not None:
        return
    if deployment.strategy != Strategy.ROLLING and deployment.act in NATIVE:
        # ECS has baked it, both versions running, and watched the alarms meanwhile (updating.py).
        return
    seconds = deployment.bake_seconds
    if seconds is None:
        found = [declared(work.change.environment, part) for part in parts]
        seconds = max((one.bake_seconds for one in found if one), default=0)
    if not seconds:
        return
    until = timezone.now() + timedelta(seconds=seconds)
    set_fields(work, deployment, bake_until=until)
    work.say(_("Its alarms are watched until %(until)s UTC.") % {"until": f"{until:%H:%M:%S}"})


def look(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart], access: AccountAccess) -> None:
    """One look; returns when the bake is over. Raises Later, Wrong, Overtaken, AwsError."""
    for part in parts:
        moved = standing(access, part)
        if moved:
            newer = outcome_words.successor(part)
            if newer is not None and newer.deployment.act != Act.ROLLBACK and not _fired(deployment):
                raise Overtaken(newer.deployment.change.title)
            raise Wrong(outcome_words.replaced(part, f"{part.service}: {moved}"), back=False)
    over = deployment.bake_until is None or timezone.now() >= deployment.bake_until
    if over or _due(deployment):
        _read(work, deployment, parts, access)
    fired = _fired(deployment)
    if fired:
        names = ", ".join(
            f"{row['name']} ({row['reason']})" if row["reason"] else row["name"] for row in fired
        )
        raise Wrong(_("An alarm fired while it baked: %(names)s") % {"names": names})
    if not over:
        assert deployment.bake_until is not None
        left = (deployment.bake_until - timezone.now()).total_seconds()
        raise Later(max(0.1, min(settings.DEPLOYMENT_ALARM_SECONDS, left)))
    if deployment.verification.get("alarms_error"):
        # Not over while the last look at the alarms failed.
        if lasted(work, deployment, "blind_since", BLIND):
            why = deployment.verification["alarms_error"]
            raise Wrong(
                _("The alarms could not be read, so nobody knows: %(why)s") % {"why": why}, back=False
            )
        raise Later(settings.DEPLOYMENT_ALARM_SECONDS)


def _due(deployment: Deployment) -> bool:
    """ECS polls alarms through the same quota: asked seldom, whoever wakes us."""
    at = deployment.verification.get("alarms_at")
    pause = timedelta(seconds=settings.DEPLOYMENT_ALARM_SECONDS)
    return at is None or timezone.now() - datetime.fromisoformat(at) >= pause


def _read(work: Work, deployment: Deployment, parts: Sequence[DeploymentPart], access: AccountAccess) -> None:
    names = {part.pk: _alarms_of(work.change.environment, part) for part in parts}
    wanted = sorted({name for some in names.values() for name in some})
    began = min((part.intended_at for part in parts if part.intended_at), default=work.change.started_at)
    error = None
    try:
        found = alarms.states(access, wanted) if wanted else {}
        rows = [_row(name, found.get(name), began) for name in wanted]
    except AwsError as refused:
        error = str(refused)
        old = {row["name"]: row for row in deployment.verification.get("alarms", [])}
        rows = [{**old.get(name, _row(name, None, began)), "state": UNKNOWN} for name in wanted]
    note(
        work,
        deployment,
        alarms=rows,
        alarms_at=timezone.now().isoformat(),
        alarms_error=error,
        blind_since=deployment.verification.get("blind_since") if error else None,
    )
    _show(work, parts, names, rows)


def _alarms_of(environment: Environment, part: DeploymentPart) -> tuple[str, ...]:
    found = declared(environment, part)
    return found.alarms if found else ()


def _row(name: str, found: AlarmState | None, began: datetime | None) -> dict[str, Any]:
    if found is None:
        return {"name": name, "state": MISSING, "reason": "", "since": None, "before": False}
    before = began is not None and found.since is not None and found.since < began
    return {
        "name": name,
        "state": found.state,
        "reason": found.reason,
        "since": found.since.isoformat() if found.since else None,
        "before": before and found.state == alarms.ALARM,
    }


def _fired(deployment: Deployment) -> list[dict[str, Any]]:
    return [row for row in deployment.verification.get("alarms", []) if _counts(row)]


def _counts(row: dict[str, Any]) -> bool:
    """An alarm that fired already before the deployment is said, and not held against it."""
    return row["state"] == alarms.ALARM and not row["before"]


def _show(
    work: Work,
    parts: Sequence[DeploymentPart],
    names: dict[int, tuple[str, ...]],
    rows: Sequence[dict[str, Any]],
) -> None:
    for part in parts:
        mine = [
            {"name": row["name"], "state": row["state"], "before": row["before"]}
            for row in rows
            if row["name"] in names[part.pk]
        ]
        # Written each time: by it the page tells that somebody still watches.
        write(work, part, progress={**part.progress, "alarms": mine}, progress_at=timezone.now())
