"""Rows of the history of deployments: what was put where, who asked, who approved, how it came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change, Vote
from environments.deployments.history.facts import IN_FORCE
from environments.deployments.models import DeploymentPart, Outcome, ServiceProposal
from environments.deployments.shown.revisions import image_name
from environments.models import Environment
from environments.registry import ATTENTION, FAILING, HEALTHY, PROGRESS
from portal.core.templatetags.states import CHANGE_STATUSES

QUIET = "quiet"


@dataclass(frozen=True)
class Row:
    """One service's part of one change, as the history shows it."""

    part: DeploymentPart
    change: Change
    tag: str
    digest: str
    approved_by: list[str]
    state: str
    result: str

    @property
    def image(self) -> str:
        return image_name(self.tag, self.digest)

    @property
    def act(self) -> str:
        return str(self.part.deployment.get_act_display())

    @property
    def can_come_back(self) -> bool:
        """Whether it put a revision in force that came out as approved."""
        return self.change.status == Status.SUCCEEDED and self.part.deployment.act in IN_FORCE

    @property
    def took(self) -> timedelta | None:
        change = self.change
        return change.finished_at - change.started_at if change.started_at and change.finished_at else None


def of_environment(environment: Environment) -> QuerySet[DeploymentPart]:
    return DeploymentPart.objects.filter(deployment__change__environment=environment)


def of_service(environment: Environment, arn: str) -> QuerySet[DeploymentPart]:
    return of_environment(environment).filter(service_arn=arn)


def listed(parts: QuerySet[DeploymentPart]) -> QuerySet[DeploymentPart]:
    """With what a row needs, without what it does not."""
    return parts.select_related(
        "deployment__change__environment__tenant", "deployment__change__requested_by"
    ).defer("progress", "wanted")


def rows(parts: Sequence[DeploymentPart]) -> list[Row]:
    """Rows of these parts, in two queries."""
    voters = _voters({part.deployment.change_id for part in parts})
    images = _images(part.pk for part in parts)
    found = []
    for part in parts:
        tag, digest = images.get(part.pk, ("", ""))
        state, result = outcome(part)
        found.append(
            Row(
                part=part,
                change=part.deployment.change,
                tag=part.tag or tag,
                digest=part.digest or digest,
                approved_by=voters.get(part.deployment.change_id, []),
                state=state,
                result=result,
            )
        )
    return found


def outcome(part: DeploymentPart) -> tuple[str, str]:
    """(state, words) of how it came out for the service: never well when it was rolled back."""
    status = Status(part.deployment.change.status)
    if part.outcome == Outcome.ROLLBACK_FAILED:
        return FAILING, _("Rollback failed")
    if part.outcome == Outcome.ROLLED_BACK:
        return ATTENTION, _("Rolled back")
    if part.outcome == Outcome.UNTOUCHED:
        return QUIET, _("Not touched")
    if status == Status.SUCCEEDED:
        return HEALTHY, _("Succeeded")
    if status == Status.VERIFYING:
        return PROGRESS, _("Being proven")
    state, word = CHANGE_STATUSES[status]
    return state, str(word)


def _voters(changes: Iterable[int]) -> dict[int, list[str]]:
    """Change -> who approved what was proposed last."""
    votes = Vote.objects.filter(
        proposal__change_id__in=list(changes),
        decision=Vote.Decision.APPROVE,
        withdrawn_at=None,
        proposal__digest=F("proposal__change__proposal__digest"),
    ).select_related("user", "proposal")
    found: dict[int, list[str]] = {}
    for vote in votes:
        names = found.setdefault(vote.proposal.change_id, [])
        if str(vote.user) not in names:
            names.append(str(vote.user))
    return found


def _images(parts: Iterable[int]) -> dict[int, tuple[str, str]]:
    found = ServiceProposal.objects.filter(
        part_id__in=list(parts), proposal=F("part__deployment__change__proposal")
    )
    return {part: (tag, digest) for part, tag, digest in found.values_list("part_id", "tag", "digest")}


def plain(row: Row) -> dict[str, Any]:
    """The row for the API."""
    change = row.change
    return {
        "change": change.uuid,
        "service": row.part.service,
        "service_arn": row.part.service_arn,
        "act": row.part.deployment.act,
        "strategy": row.part.deployment.strategy,
        "image": {"tag": row.tag, "digest": row.digest},
        "revision": row.part.registered_arn,
        "status": change.status,
        "outcome": row.part.outcome,
        "reason": row.part.outcome_reason,
        "title": change.title,
        "requested_by": change.requested_by.username if change.requested_by else change.requested_by_name,
        "approved_by": row.approved_by,
        "created_at": change.created_at,
        "started_at": change.started_at,
        "finished_at": change.finished_at,
        "url": f"/changes/{change.uuid}/",
    }
