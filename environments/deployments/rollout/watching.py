"""One look at a rollout: ECS's record of it each time, tasks and targets when something moved."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.work import Work
from environments.deployments.models import Act, DeploymentPart
from environments.deployments.rollout import evidence, pacing, seeing, verdicts
from environments.deployments.rollout.questions import Asking
from environments.deployments.rollout.recognising import ours
from environments.deployments.rollout.verdicts import Seen
from environments.deployments.services import access_of
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

__all__ = ["Seen", "access_for", "look", "pace"]

# Tasks and targets are looked at again after so many seconds, even when no count moved.
WHOLE_LOOK_SECONDS: Final = 120.0
# Stopped tasks are kept at once, then this often while more and more stop: ECS tells of them for an hour.
KEEP_SECONDS: Final = 60.0
COUNTED: Final = ("desired", "running", "pending")


def access_for(work: Work) -> AccountAccess:
    """How the environment's account is reached. Raises AwsError."""
    access = access_of(work.change.environment)
    if access is None:
        raise AwsError(_("The environment has no AWS account."), code="Configuration", permanent=True)
    return access


def look(work: Work, part: DeploymentPart) -> Seen:
    """Look at the rollout, write `part.progress`, and say how it stands. Raises AwsError."""
    asking = Asking(access_for(work), part, dict(part.progress.get("watch") or {}))
    record, arn = asking.record()
    service: dict[str, Any] = {}
    if not record:
        service = asking.service()
    progress = _told(part, service, record)
    changed = _note_change(part, asking.watch, progress)
    if changed:
        work.say(_counted(part, progress))
    if _whole_look(part, asking.watch, changed=changed):
        service = service or asking.service()
        progress |= _told(part, service, record) | asking.tasks_and_targets(service)
        asking.watch["whole_at"] = _elapsed(part)
    seen = _verdict(part, service, record, progress)
    if seen.state != "moving":
        # The last look shows everything, and may need the service's own words for its verdict.
        if "tasks" not in progress:
            service = service or asking.service()
            progress |= _told(part, service, record) | asking.tasks_and_targets(service)
        seen = _verdict(part, service, record, progress)
    died = _tasks_died(part, asking.watch, progress)
    _write(work, part, progress, asking.watch, arn, service)
    if service:
        evidence.keep_events(work, part, service)
    if died or seen.state not in ("moving", "completed"):
        kept = evidence.capture(work, part)
        asking.spend(2 + kept)
        _write(work, part, {}, asking.watch, arn, service)
    return seen


def pace(part: DeploymentPart) -> float:
    """Seconds until the next look."""
    return pacing.seconds(part.progress.get("watch") or {}, _elapsed(part))


def _told(part: DeploymentPart, service: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    return seeing.counts(part, service, record) | seeing.rollout(part, service, record)


def _note_change(part: DeploymentPart, watch: dict[str, Any], progress: dict[str, Any]) -> bool:
    """Whether a count, the stage or ECS's word differs from the look before; counts the looks without."""
    counted = [[progress[side][name] for name in COUNTED] for side in ("new", "old")]
    words = [progress[name] for name in ("rollout", "stage", "traffic")]
    signature = [*counted, *words, progress["breaker"]["failures"]]
    changed = bool(signature != watch.get("signature"))
    watch["unchanged"] = 0 if changed else int(watch.get("unchanged") or 0) + 1
    watch["signature"] = signature
    return changed


def _counted(part: DeploymentPart, progress: dict[str, Any]) -> str:
    """The counts in one line of the log."""
    words = {
        "service": part.service,
        "running": progress["new"]["running"],
        "desired": progress["new"]["desired"],
        "old": progress["old"]["running"],
    }
    if part.deployment.act == Act.SCALE:
        return _("%(service)s: %(running)s of %(desired)s tasks run.") % words
    counts = _("%(service)s: %(running)s of %(desired)s new tasks run, %(old)s old ones.") % words
    return " ".join(filter(None, [counts, progress["rollout"], progress["stage"]]))


def _whole_look(part: DeploymentPart, watch: dict[str, Any], *, changed: bool) -> bool:
    """Whether tasks and targets are looked at too: at first, when something moved, and every so often."""
    at = watch.get("whole_at")
    if at is None or _elapsed(part) - float(at) >= WHOLE_LOOK_SECONDS:
        return True
    cost = float(watch.get("loop") or pacing.USUAL_LOOP)
    return changed and pacing.allowance(watch, _elapsed(part)) >= cost


def _verdict(
    part: DeploymentPart, service: dict[str, Any], record: dict[str, Any], progress: dict[str, Any]
) -> Seen:
    if part.deployment.act == Act.SCALE:
        return verdicts.of_scaling(service)
    seen = verdicts.of_record(part, record, service) if record else verdicts.of_service(part, service)
    if seen.state == "moving" and (why := verdicts.hopeless(part, progress)):
        return Seen("failed", why)
    return seen


def _tasks_died(part: DeploymentPart, watch: dict[str, Any], progress: dict[str, Any]) -> bool:
    """Whether new tasks stopped whose words have not been kept: at once for the first, then every so often."""
    new, before = progress["new"], (part.progress.get("new") or {})
    failed, kept_at = int(new.get("failed") or 0), watch.get("kept_at")
    fewer = new["running"] < int(before.get("running") or 0) and new["desired"] > new["running"]
    if failed <= int(watch.get("failed_seen") or 0) and not fewer:
        return False
    if kept_at is not None and _elapsed(part) - float(kept_at) < KEEP_SECONDS:
        return False
    watch |= {"failed_seen": failed, "kept_at": _elapsed(part)}
    return True


def _write(
    work: Work,
    part: DeploymentPart,
    progress: dict[str, Any],
    watch: dict[str, Any],
    arn: str,
    service: dict[str, Any],
) -> None:
    part.progress = {**part.progress, **progress, "watch": watch}
    part.progress_at = timezone.now()
    part.service_deployment_arn = arn or part.service_deployment_arn
    part.ecs_deployment_id = part.ecs_deployment_id or str(ours(part, service).get("id") or "")
    with work.fenced():
        part.save(update_fields=["progress", "progress_at", "service_deployment_arn", "ecs_deployment_id"])


def _elapsed(part: DeploymentPart) -> float:
    since = part.intended_at or part.started_at
    return (timezone.now() - since).total_seconds() if since else 0.0
