"""The last good deployment of a service: where a rollback leads that needs nobody's second look."""

from __future__ import annotations

from django.db.models import QuerySet

from environments.changes.lifecycle import Status
from environments.deployments.models import Act, DeploymentPart, Outcome

# What put a revision in force that was then proven to run.
PROVING = (Act.DEPLOY, Act.CONFIGURE, Act.ROLLBACK)


def proven(service_arn: str) -> QuerySet[DeploymentPart]:
    """Parts whose revision was proven to run, their whole change having succeeded; the newest first."""
    return (
        DeploymentPart.objects.filter(
            service_arn=service_arn,
            outcome=Outcome.SUCCEEDED,
            deployment__act__in=PROVING,
            deployment__change__status=Status.SUCCEEDED,
        )
        .exclude(registered_arn="")
        .select_related("deployment__change")
        .order_by("-pk")
    )


def last_good(service_arn: str, running_arn: str, running_digest: str) -> DeploymentPart | None:
    """The newest proven deployment before the one that brought what runs; None when there is none.

    What a rollback brought back counts from the deployment that had brought it first: else two rollbacks in
    a row would lead forward again, to what the first one went away from.
    """
    good = proven(service_arn)
    here = _runs(good.exclude(deployment__act=Act.ROLLBACK), running_arn, running_digest).first()
    if here is not None:
        good = good.filter(pk__lt=here.pk)
    return good.exclude(registered_arn=running_arn).first()


def _runs(rows: QuerySet[DeploymentPart], arn: str, digest: str) -> QuerySet[DeploymentPart]:
    found = rows.filter(registered_arn=arn)
    return found if found.exists() or not digest else rows.filter(digest=digest)
