"""Services on the overview, on an environment's first page and in search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.deployments import declarations
from environments.deployments.models import DeploymentPart, ServiceCheck, ServiceStatus
from environments.deployments.services import TYPE
from environments.deployments.shown.revisions import image_name
from environments.deployments.status.verdicts import Verdict, judge
from environments.deployments.tab.page import interval_of
from environments.models import Environment, Resource
from environments.registry import HEALTHY, UNKNOWN, Chip, Column, Hit, registry
from portal.accounts.models import User

HITS: Final = 10
ENOUGH: Final = 6


def cells(environments: Sequence[Environment]) -> dict[int, Chip]:
    """One chip an environment that has services, in a fixed number of queries."""
    ids = [environment.pk for environment in environments]
    counted = Resource.objects.filter(environment_id__in=ids, type=TYPE).order_by()
    expected: dict[int, int] = {}
    for pk in counted.values_list("environment_id", flat=True):
        expected[pk] = expected.get(pk, 0) + 1
    checks = {row.environment_id: row for row in ServiceCheck.objects.filter(environment_id__in=ids)}
    statuses: dict[int, list[ServiceStatus]] = {}
    rows = ServiceStatus.objects.filter(environment_id__in=ids).defer("tasks", "known_revisions")
    for row in rows:
        statuses.setdefault(row.environment_id, []).append(row)
    newest = _terraform(ids)
    found = {}
    for environment in environments:
        if environment.pk in expected:
            verdicts = [
                judge(
                    row,
                    interval=interval_of(checks.get(environment.pk)),
                    terraform=newest.get((environment.pk, row.service_arn), ""),
                    production=environment.is_production,
                )
                for row in statuses.get(environment.pk, [])
            ]
            found[environment.pk] = _chip(environment, verdicts, expected[environment.pk])
    return found


def _terraform(ids: Sequence[int]) -> dict[tuple[int, str], str]:
    """(environment, service ARN) -> Terraform's newest revision, from the outputs of all of them at once."""
    return {
        (pk, arn): declared.task_definition
        for pk, output in registry.outputs_named(ids, declarations.OUTPUT).items()
        for arn, declared in declarations.read(output).items()
    }


def _chip(environment: Environment, verdicts: Sequence[Verdict], expected: int) -> Chip:
    link = reverse("deployments:services", args=[environment.tenant.slug, environment.slug])
    if len(verdicts) < expected and all(verdict.state in (HEALTHY, UNKNOWN) for verdict in verdicts):
        return Chip(UNKNOWN, _("Services not looked at yet"), link)
    worst = min(verdicts, key=lambda one: one.rank)
    oldest = min((one.at for one in verdicts if one.at), default=None)
    count = len(verdicts)
    if worst.state == HEALTHY:
        text = ngettext("%(n)s service runs", "%(n)s services run", count) % {"n": count}
        return Chip(HEALTHY, text, link, oldest)
    alike = sum(one.state == worst.state for one in verdicts)
    text = (
        worst.text
        if count == 1
        else _("%(n)s of %(all)s: %(what)s") % {"n": alike, "all": count, "what": worst.text}
    )
    return Chip(worst.state, text, link, worst.at)


SERVICES: Final = Column("services", "Services", 20, cells)


def card(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/deployments/_card.html; nothing where there is no service."""
    from environments.deployments.services import services_of
    from environments.deployments.tab import page

    services = services_of(environment)
    if not services:
        return {}
    check = ServiceCheck.objects.filter(environment=environment).first()
    return {
        "lines": page.lines(environment, services, check),
        "interval": interval_of(check),
        "environment": environment,
    }


def search(user: User, text: str) -> Iterable[Hit]:
    """Services by name, ARN or what they run; deployments by digest."""
    mine = Environment.objects.visible_to(user)
    rows = ServiceStatus.objects.filter(environment__in=mine).select_related("environment__tenant")
    wanted = (
        Q(service__icontains=text) | Q(service_arn__icontains=text) | Q(task_definition_arn__icontains=text)
    )
    for row in rows.filter(wanted).defer("tasks", "known_revisions")[:HITS]:
        image: dict[str, str] = next(iter(row.images.values()), {})
        place = row.environment
        yield Hit(
            _("Service"),
            row.service,
            f"{place} · {image_name(image.get('tag', ''), image.get('digest', ''))}".rstrip(" ·"),
            reverse("deployments:service", args=[place.tenant.slug, place.slug, row.service]),
        )
    digest = text.removeprefix("sha256:")
    if len(digest) < ENOUGH or not all(letter in "0123456789abcdef" for letter in digest):
        return
    parts = DeploymentPart.objects.filter(
        deployment__change__environment__in=mine, digest__startswith=f"sha256:{digest}"
    )
    for part in parts.select_related("deployment__change__environment__tenant").order_by("-pk")[:HITS]:
        change = part.deployment.change
        yield Hit(
            _("Deployment"),
            change.title,
            f"{part.service} · {image_name(part.tag, part.digest)}",
            reverse("changes:detail", args=[change.uuid]),
        )
