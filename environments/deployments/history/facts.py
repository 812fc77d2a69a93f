"""The deployments of a stretch of time as plain facts, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Max, Min, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware

from environments.changes.lifecycle import FINAL, Status
from environments.deployments.models import Act, DeploymentPart, Outcome, ServiceProposal

# Acts that put another revision in force; a restart or a change of scale deploys nothing.
FORWARD: Final = frozenset({Act.DEPLOY.value, Act.CONFIGURE.value})
IN_FORCE: Final = FORWARD | {Act.ROLLBACK.value}
CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True)
class Fact:
    """One service's part of one ended deployment. `built_at`: when its image was made or pushed, if that is known."""

    pk: int
    service_arn: str
    act: str
    succeeded: bool
    outcome: str
    digest: str
    requested_at: datetime
    began_at: datetime
    ended_at: datetime
    built_at: datetime | None = None
    built_from: str = ""  # created, pushed
    title: str = ""
    link: str = ""

    @property
    def is_forward(self) -> bool:
        return self.act in FORWARD

    @property
    def rolled_back(self) -> bool:
        return self.outcome == Outcome.ROLLED_BACK


@dataclass(frozen=True)
class Facts:
    """What ended in a stretch of time, oldest first; what ran before it, and since when anything is recorded."""

    rows: list[Fact]
    before: dict[str, Fact]
    known_digests: frozenset[tuple[str, str]]
    recorded_since: datetime | None


def gather(parts: QuerySet[DeploymentPart], since: datetime) -> Facts:
    """Facts of these services' parts that ended after `since`."""
    ended = parts.filter(
        Q(deployment__change__status__in=FINAL),
        deployment__act__in=IN_FORCE,
        deployment__change__started_at__isnull=False,
        deployment__change__finished_at__isnull=False,
    ).exclude(outcome=Outcome.UNTOUCHED)
    recorded = parts.aggregate(first=Min("deployment__change__created_at"))["first"]
    here = list(_light(ended.filter(deployment__change__finished_at__gte=since)))
    good = ended.filter(
        deployment__change__status=Status.SUCCEEDED, deployment__change__finished_at__lt=since
    )
    newest = good.order_by().values("service_arn").annotate(newest=Max("pk")).values("newest")
    earlier = list(_light(parts.filter(pk__in=newest)))
    images = _images([part.pk for part in here])
    rows = [_fact(part, images.get(part.pk, {})) for part in here]
    digests = {row.digest for row in rows if row.digest}
    known = good.filter(digest__in=digests).values_list("service_arn", "digest").distinct()
    return Facts(
        rows=sorted(rows, key=lambda row: (row.ended_at, row.pk)),
        before={part.service_arn: _fact(part, {}) for part in earlier},
        known_digests=frozenset(known),
        recorded_since=recorded,
    )


def _light(parts: QuerySet[DeploymentPart]) -> QuerySet[DeploymentPart]:
    return parts.select_related("deployment__change").defer("progress", "wanted")


def _images(parts: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """Part -> what was known of the image that was approved."""
    rows = ServiceProposal.objects.filter(part_id__in=list(parts))
    rows = rows.filter(proposal=F("part__deployment__change__proposal"))
    found = rows.values_list("part_id", "image", "digest")
    return {part: {**(image or {}), "digest": digest} for part, image, digest in found}


def _fact(part: DeploymentPart, image: Mapping[str, Any]) -> Fact:
    change = part.deployment.change
    assert change.started_at is not None
    assert change.finished_at is not None
    built_at, built_from = built(image)
    return Fact(
        pk=part.pk,
        service_arn=part.service_arn,
        act=part.deployment.act,
        succeeded=change.status == Status.SUCCEEDED,
        outcome=part.outcome,
        digest=part.digest or str(image.get("digest") or ""),
        requested_at=change.created_at,
        began_at=part.intended_at or part.started_at or change.started_at,
        ended_at=change.finished_at if change.status == Status.SUCCEEDED else _over(part),
        built_at=built_at,
        built_from=built_from,
        title=change.title,
        link=f"/changes/{change.uuid}/",
    )


def _over(part: DeploymentPart) -> datetime:
    """When the service was back, or given up."""
    finished = part.finished_at or part.deployment.change.finished_at
    assert finished is not None
    return finished


def built(image: Mapping[str, Any]) -> tuple[datetime | None, str]:
    """When an image was made: its label says so, else when it was pushed; nothing when neither is known."""
    labels = image.get("labels")
    label = labels.get(CREATED) if isinstance(labels, Mapping) else None
    for text, source in ((label, "created"), (image.get("pushed_at"), "pushed")):
        try:
            moment = parse_datetime(text) if isinstance(text, str) else None
        except ValueError:
            moment = None
        if moment is not None and is_aware(moment):
            return moment, source
    return None, ""
