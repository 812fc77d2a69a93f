"""What runs say elsewhere: the overview's column, blockers of a retirement, search hits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.models import Environment, Resource
from environments.registry import ATTENTION, FAILING, HEALTHY, UNKNOWN, Chip, Column, Hit
from environments.runs.leftovers import shown as leftovers_shown
from environments.runs.live import shown as live_shown
from environments.runs.live.shown import Standing
from environments.runs.models import DriftCheck
from portal.accounts.models import User


def _chip(
    environment: Environment, check: DriftCheck | None, resources: int, left: int, beside: Standing
) -> Chip:
    if left:
        link = reverse("environments:detail", args=[environment.tenant.slug, environment.slug])
        text = ngettext("%(n)s resource in no state", "%(n)s resources in no state", left) % {"n": left}
        return Chip(FAILING, text, link)
    link = reverse("runs:drift", args=[environment.tenant.slug, environment.slug])
    if beside.critical:
        text = ngettext(
            "%(n)s opening of high risk beside the state",
            "%(n)s openings of high risk beside the state",
            beside.critical,
        )
        return Chip(FAILING, text % {"n": beside.critical}, link)
    chip = _drift_chip(environment, check, resources, link)
    if beside.extras and chip.state != ATTENTION:
        text = ngettext("%(n)s extra beside the state", "%(n)s extras beside the state", beside.extras)
        return Chip(ATTENTION, text % {"n": beside.extras}, link)
    return chip


def _drift_chip(environment: Environment, check: DriftCheck | None, resources: int, link: str) -> Chip:
    if not environment.blueprint:
        return Chip(UNKNOWN, _("Described only: no blueprint yet"))
    if not resources and (check is None or check.verdict == DriftCheck.Verdict.NEVER):
        return Chip(UNKNOWN, _("Nothing applied yet"))
    if check is None or check.taken_at is None:
        if check is not None and check.error:
            return Chip(UNKNOWN, _("Drift unknown: the look failed"), link, check.error_at)
        return Chip(UNKNOWN, _("Drift not checked yet"), link)
    if check.error:
        return Chip(UNKNOWN, _("Drift unknown since the last look failed"), link, check.taken_at)
    if check.verdict == DriftCheck.Verdict.DRIFTED and check.count:
        text = ngettext("%(n)s resource drifted", "%(n)s resources drifted", check.count) % {"n": check.count}
        return Chip(ATTENTION, text, link, check.taken_at)
    return Chip(
        HEALTHY,
        ngettext("%(n)s resource, no drift", "%(n)s resources, no drift", resources) % {"n": resources},
        link,
        check.taken_at,
    )


def cells(environments: Sequence[Environment]) -> dict[int, Chip]:
    """One chip an environment, in as many queries for one as for a thousand."""
    ids = [environment.pk for environment in environments]
    checks = {
        row.environment_id: row for row in DriftCheck.objects.filter(environment_id__in=ids).defer("rows")
    }
    counted = Resource.objects.filter(environment_id__in=ids).order_by().values("environment_id")
    resources = {row["environment_id"]: row["n"] for row in counted.annotate(n=Count("pk"))}
    left = leftovers_shown.undecided(ids)
    beside = live_shown.standings(ids)
    for key, count in live_shown.drift_counts(ids).items():
        # What people ignore until a date does not count.
        checks[key].count = count
    return {
        environment.pk: _chip(
            environment,
            checks.get(environment.pk),
            resources.get(environment.pk, 0),
            left.get(environment.pk, 0),
            beside.get(environment.pk, Standing()),
        )
        for environment in environments
    }


TERRAFORM = Column("terraform", "Terraform", 10, cells)


def retire_blockers(environment: Environment) -> Iterable[str]:
    count = environment.resources.count()
    if count:
        yield ngettext(
            "Its state still holds %(n)s resource: destroy it first.",
            "Its state still holds %(n)s resources: destroy them first.",
            count,
        ) % {"n": count}


def search(user: User, text: str) -> Iterable[Hit]:
    for row in Resource.objects.visible_to(user).matching(text).select_related("environment__tenant")[:15]:
        link = reverse("runs:resources", args=[row.environment.tenant.slug, row.environment.slug])
        yield Hit(
            _("Resource"), row.address, f"{row.environment} · {row.provider_id}", f"{link}?q={row.address}"
        )
