"""What a proposal would do to each service: differences with their owners, the image's facts, the preflight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
from environments.deployments.services import Service, services_of
from environments.deployments.shown import words
from environments.deployments.shown.links import service_url
from environments.deployments.shown.ownership import owner_word
from environments.deployments.shown.revisions import image_name, revision, short_digest
from environments.deployments.shown.tasks import moment
from environments.registry import ATTENTION, FAILING, HEALTHY, UNKNOWN
from portal.accounts.models import User

PREFLIGHT: Mapping[str, str] = {"ok": HEALTHY, "warning": ATTENTION, "failing": FAILING, "unknown": UNKNOWN}
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED", "UNDEFINED")
# Where the new value comes from.
SOURCES: Mapping[str, Any] = {
    "request": gettext_lazy("as asked"),
    "terraform": gettext_lazy("from Terraform's newest revision"),
    "running": gettext_lazy("from what runs"),
}
SOURCE = "org.opencontainers.image.source"
REVISION = "org.opencontainers.image.revision"


@dataclass(frozen=True)
class Shown:
    """One service's part of the proposal, ready to be drawn."""

    service: str
    link: str
    proposal: ServiceProposal
    running: str
    running_image: str
    image: str
    containers: list[dict[str, Any]]
    facts: dict[str, Any]
    preflight: list[dict[str, str]]

    @property
    def labels_id(self) -> str:
        return f"labels-{self.proposal.pk}"


def context(change: Change, user: User) -> dict[str, Any]:
    """The deployment's part of the change page: constant queries, however many services."""
    deployment, parts = of_change(change)
    services = services_of(change.environment)
    by_arn = {service.arn: service for service in services}
    asked = [by_arn[part.service_arn] for part in parts if part.service_arn in by_arn]
    proposals = proposals_of(change)
    facts: Mapping[str, Any] = change.proposal.facts if change.proposal else {}
    return {
        "deployment": deployment,
        "effects": words.consequences(deployment, parts, proposals),
        "strategy_lines": words.strategy_lines(deployment, asked),
        "warnings": facts.get("warnings", []),
        "shown_services": [
            _shown(change, one, by_arn.get(one.part.service_arn), services) for one in proposals
        ],
        "promoted_from": deployment.promoted_from,
        "rollback_to": deployment.rollback_to,
    }


def of_change(change: Change) -> tuple[Deployment, list[DeploymentPart]]:
    """The deployment with its parts in order, without what is encrypted."""
    found = Deployment.objects.select_related("promoted_from__tenant", "rollback_to__change")
    deployment = found.get(change=change)
    return deployment, list(deployment.parts.defer("wanted").order_by("position"))


def proposals_of(change: Change) -> list[ServiceProposal]:
    """The current proposal's services; what would be registered stays where it is."""
    if change.proposal_id is None:
        return []
    rows = ServiceProposal.objects.filter(proposal_id=change.proposal_id).select_related("part")
    return list(rows.defer("rendered", "part__wanted", "part__progress").order_by("position"))


def _shown(change: Change, one: ServiceProposal, service: Service | None, among: Sequence[Service]) -> Shown:
    return Shown(
        service=one.part.service,
        link=service_url(change.environment, service, among) if service else "",
        proposal=one,
        running=revision(one.running_arn),
        running_image=short_digest(one.running_digest),
        image=image_name(one.tag, one.digest),
        containers=containers(one.difference),
        facts=image_facts(one.image),
        preflight=[preflight_row(row) for row in one.preflight],
    )


def containers(difference: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Differences by container, in the order they come in; "" is the task and the service as a whole."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in difference:
        found.setdefault(str(row.get("container") or ""), []).append(difference_row(row))
    return [{"name": name, "rows": rows} for name, rows in found.items()]


def difference_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One field as {% attribute_change %} draws it; a sensitive value never leaves here."""
    owner, sensitive = str(row.get("owner") or ""), bool(row.get("sensitive"))
    return {
        "path": row.get("path", ""),
        "owner": owner,
        "owner_word": owner_word(owner) if owner else "",
        "before": None if sensitive else row.get("before"),
        "after": None if sensitive else row.get("after"),
        "sensitive": sensitive,
        "changed": True,
        "source": SOURCES.get(str(row.get("source") or ""), ""),
    }


def preflight_row(row: Mapping[str, Any]) -> dict[str, str]:
    state = str(row.get("state") or "")
    chip = PREFLIGHT.get(state, UNKNOWN)
    labels = {
        HEALTHY: _("Fine"),
        ATTENTION: _("Needs attention"),
        FAILING: _("Cannot work"),
        UNKNOWN: _("Unknown"),
    }
    return {
        "key": str(row.get("key") or ""),
        "chip": chip,
        "word": labels[chip],
        "text": str(row.get("text") or ""),
        "hint": str(row.get("hint") or ""),
    }


def image_facts(image: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the image; a scan that never ran is not the same as one without findings."""
    scan, labels = image.get("scan"), image.get("labels") or {}
    commits = image.get("commits") or {}
    counts = {str(name).upper(): number for name, number in (scan or {}).items() if number}
    return {
        "known": bool(image),
        "pushed_at": moment(image.get("pushed_at")),
        "size": image.get("size"),
        "platforms": list(image.get("platforms") or []),
        "scanned": scan is not None,
        "findings": [
            (name.lower(), counts[name], name in SEVERITIES[:2]) for name in SEVERITIES if name in counts
        ],
        "source": labels.get(SOURCE, ""),
        "commit": labels.get(REVISION, ""),
        "labels": sorted(labels.items()),
        "commits": _commits(commits),
    }


def _commits(commits: Mapping[str, Any]) -> dict[str, str]:
    """Where the images' labels say what they were made of; a label may hold anything, so only web addresses link."""
    url = str(commits.get("url") or "")
    found = {"from": str(commits.get("from") or "")[:12], "to": str(commits.get("to") or "")[:12]}
    return {**found, "url": url if url.startswith("https://") else ""} if found["to"] else {}
