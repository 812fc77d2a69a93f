"""What happened and what runs now, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.deployments.models import DeploymentPart, Step
from environments.deployments.rollout import diagnosis, evidence
from environments.deployments.rollout.plan import Plan
from portal.aws import ecs
from portal.aws.errors import AwsError


@dataclass(frozen=True)
class Told:
    """The likeliest cause of a failure and what helps against it."""

    text: str
    remedy: str


def cause(part: DeploymentPart) -> Told | None:
    """What the stopped tasks tell, else the events; None when neither says anything."""
    row = evidence.worst(part)
    if row is not None:
        found = diagnosis.named(row.diagnosis) if row.diagnosis else None
        count = part.stopped_tasks.filter(diagnosis=row.diagnosis).count()
        words = {"n": count, "why": row.stopped_reason or row.stop_code}
        aws = _("AWS says: %(why)s") % words if words["why"] else ""
        if found is None:
            return Told(aws, "") if aws else None
        return Told(f"{found.title}. {found.cause} {aws}".strip(), str(found.remedy))
    for event in part.events.order_by("-at")[:30]:
        told = diagnosis.explain_event(event.message)
        if told is not None:
            aws = _("AWS says: %(why)s") % {"why": event.message}
            return Told(f"{told.title}. {told.cause} {aws}", str(told.remedy))
    return None


def what_runs(plan: Plan) -> list[str]:
    """One sentence for each service, as AWS tells it now."""
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for cluster in sorted({part.cluster_arn for part in plan.parts}):
            arns = [part.service_arn for part in plan.parts if part.cluster_arn == cluster]
            for service in ecs.describe_services(plan.access, cluster, arns):
                found[str(service["serviceArn"])] = service
    except AwsError as refused:
        return [_("What runs now could not be read: %(why)s") % {"why": refused.message}]
    return [_runs(part, found.get(part.service_arn)) for part in plan.parts]


def _runs(part: DeploymentPart, service: Mapping[str, Any] | None) -> str:
    if service is None or service.get("status") != "ACTIVE":
        return _("%(service)s is no more.") % {"service": part.service}
    now = str(service.get("taskDefinition") or "")
    words = {
        "service": part.service,
        "revision": now.rpartition("/")[2],
        "running": service.get("runningCount"),
        "desired": service.get("desiredCount"),
    }
    text = _("%(service)s runs %(revision)s, %(running)s of %(desired)s tasks") % words
    if part.intended_at is None:
        return _("%(text)s; it was not touched.") % {"text": text}
    if part.previous_arn and now == part.previous_arn:
        return _("%(text)s, as before.") % {"text": text}
    if part.registered_arn and now == part.registered_arn:
        return _("%(text)s: the new revision.") % {"text": text}
    return f"{text}."


def how_far(plan: Plan) -> str:
    """How far a cancelled deployment had come."""
    done = [part.service for part in plan.parts if part.step == Step.DONE and not part.outcome]
    back = [part.service for part in plan.touched if part.service not in done]
    return _("It was stopped; what it had begun was taken back: %(services)s.") % {
        "services": ", ".join(back + done)
    }


def seconds(part: DeploymentPart) -> int:
    """How long a service took, or has taken until now."""
    if part.started_at is None:
        return 0
    return round(((part.finished_at or timezone.now()) - part.started_at).total_seconds())
