"""What waits for people: services that fail, for operators; the way back, for who deployed what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.models import DeploymentPart, Outcome, ServiceCheck, ServiceStatus
from environments.deployments.shown.links import optional
from environments.deployments.status.verdicts import judge
from environments.deployments.tab.page import interval_of
from environments.models import Environment, Membership, Role
from environments.registry import FAILING, Need
from portal.accounts.models import User

RECENT: Final = timedelta(days=3)
MOST: Final = 50


def needs(user: User) -> Iterator[Need]:
    yield from _failing(user)
    yield from _to_roll_back(user)


def _failing(user: User) -> Iterator[Need]:
    """Services that do not run as they should, in tenants where this person operates."""
    tenants = Membership.objects.filter(user=user, user__is_active=True, role=Role.OPERATOR)
    places = Environment.objects.active().filter(tenant_id__in=tenants.values("tenant_id"))
    rows = ServiceStatus.objects.filter(environment__in=places, taken_at__isnull=False)
    rows = rows.filter(
        Q(short_since__isnull=False) | ~Q(status="ACTIVE") | Q(deployments__0__rolloutState="FAILED")
    )
    found = list(rows.select_related("environment__tenant").defer("tasks", "known_revisions")[:MOST])
    checks = _intervals(found)
    for row in found:
        place = row.environment
        # What is not known any more does not fail, it is unknown: the overview says so.
        verdict = judge(row, interval=interval_of(checks.get(place.pk)))
        if verdict.state == FAILING:
            yield Need(
                title=_("%(service)s of %(environment)s") % {"service": row.service, "environment": place},
                detail=f"{verdict.text}. {verdict.why}",
                link=reverse("deployments:service", args=[place.tenant.slug, place.slug, row.service]),
                state=FAILING,
                at=row.short_since or row.taken_at or timezone.now(),
                verb=_("Look"),
            )


def _intervals(rows: Sequence[ServiceStatus]) -> dict[int, ServiceCheck]:
    ids = {row.environment_id for row in rows}
    return {check.environment_id: check for check in ServiceCheck.objects.filter(environment_id__in=ids)}


def _to_roll_back(user: User) -> Iterator[Need]:
    """The person's own deployments that went wrong and left a service neither as approved nor as before."""
    left = DeploymentPart.objects.filter(
        outcome__in=[Outcome.ROLLBACK_FAILED, Outcome.FAILED],
        deployment__change__requested_by=user,
        deployment__change__finished_at__gt=timezone.now() - RECENT,
    ).select_related("deployment__change__environment__tenant")
    seen: set[int] = set()
    for part in left.defer("progress", "wanted").order_by("-pk")[:MOST]:
        change = part.deployment.change
        if change.pk in seen or _settled(part):
            continue
        seen.add(change.pk)
        place = change.environment
        back = optional("deployments:rollback", place.tenant.slug, place.slug)
        yield Need(
            title=_("Roll back %(service)s") % {"service": part.service},
            detail=_("It was left by “%(title)s”, neither as approved nor as before.")
            % {"title": change.title},
            link=f"{back}?change={change.uuid}" if back else reverse("changes:detail", args=[change.uuid]),
            state=FAILING,
            at=change.finished_at or change.created_at,
            verb=_("Roll back"),
        )


def _settled(part: DeploymentPart) -> bool:
    """Whether a later deployment put the service right."""
    later = Change.objects.filter(
        deployment__parts__service_arn=part.service_arn,
        deployment__parts__pk__gt=part.pk,
        status=Status.SUCCEEDED,
    )
    return later.exists()
