"""What the fleet says about drift and extras: figures for many environments at once, and whom they wait for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.models import Environment
from environments.permissions import VERBS, roles_by_tenant
from environments.registry import FAILING, Need
from environments.runs.drift import rows as drift_rows
from environments.runs.live import rows as live_rows
from environments.runs.live.risk import CRITICAL
from environments.runs.models import DriftCheck, DriftIgnore, LiveExtra
from portal.accounts.models import User


@dataclass(frozen=True)
class Standing:
    """Of one environment: extras nobody decided about, those of high risk among them."""

    critical: int = 0
    extras: int = 0


def standings(environments: Iterable[int]) -> dict[int, Standing]:
    """By environment (primary key), in one query; those without extras are left out."""
    rows = live_rows.unsettled(LiveExtra.objects.filter(environment_id__in=environments))
    counted = (
        rows.order_by()
        .values("environment_id")
        .annotate(n=Count("pk"), bad=Count("pk", filter=Q(risk__gte=CRITICAL)))
    )
    return {row["environment_id"]: Standing(row["bad"], row["n"]) for row in counted}


def drift_counts(environments: Sequence[int]) -> dict[int, int]:
    """How many rows still count where people ignore some, in two queries; the others are left out."""
    ignores: dict[int, list[DriftIgnore]] = {}
    for one in drift_rows.active_ignores().filter(environment_id__in=environments):
        ignores.setdefault(one.environment_id, []).append(one)
    if not ignores:
        return {}
    checks = DriftCheck.objects.filter(environment_id__in=ignores)
    return {
        check.environment_id: drift_rows.judged(check, ignores[check.environment_id]).count
        for check in checks
    }


def needs(user: User) -> Iterator[Need]:
    """Extras of high risk, for those who may do something about them: one line an environment."""
    places = Environment.objects.visible_to(user).active()
    rows = live_rows.unsettled(LiveExtra.objects.filter(environment__in=places, risk__gte=CRITICAL))
    found = {
        row["environment_id"]: row
        for row in rows.order_by().values("environment_id").annotate(n=Count("pk"), at=Max("first_seen_at"))
    }
    if not found:
        return
    waiting = list(Environment.objects.filter(pk__in=found).select_related("tenant"))
    roles = roles_by_tenant(user, {place.tenant_id for place in waiting})
    able = VERBS["change.request"] | VERBS["extra.settle_high_risk"]
    for place in waiting:
        if not able & roles[place.tenant_id]:
            continue
        row = found[place.pk]
        yield Need(
            title=ngettext(
                "%(n)s opening of high risk in %(place)s",
                "%(n)s openings of high risk in %(place)s",
                row["n"],
            )
            % {"n": row["n"], "place": place},
            detail=_("Somebody added it beside Terraform; a plan does not show it."),
            link=reverse("runs:drift", args=[place.tenant.slug, place.slug]),
            state=FAILING,
            at=row["at"],
            verb=_("Look"),
        )
