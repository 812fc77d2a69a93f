"""What the Services tab and a service's page show, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from environments.changes.lifecycle import OPEN
from environments.deployments.history import rows as history
from environments.deployments.models import DeploymentPart, ServiceCheck, ServiceStatus
from environments.deployments.services import Service, access_of, services_of
from environments.deployments.shown.links import handle, optional, service_url
from environments.deployments.shown.revisions import image_name, revision
from environments.deployments.status.verdicts import Verdict, judge
from environments.models import Environment
from environments.permissions import refusal


@dataclass(frozen=True)
class Button:
    """A request that can be made of a service."""

    label: str
    url: str
    variant: str = "plain"


@dataclass(frozen=True)
class Line:
    """One service as the tab lists it."""

    service: Service
    link: str
    status: ServiceStatus | None
    verdict: Verdict
    tag: str
    digest: str
    last: history.Row | None
    open_change: history.Row | None
    buttons: list[Button]

    @property
    def image(self) -> str:
        return image_name(self.tag, self.digest)

    @property
    def revision(self) -> str:
        return revision(self.status.task_definition_arn) if self.status else ""

    @property
    def bounds(self) -> str:
        """ "2 – 6", or nothing where the service does not scale by itself."""
        status = self.status
        if status is None or status.minimum is None or status.maximum is None:
            return ""
        return f"{status.minimum} – {status.maximum}"


def interval_of(check: ServiceCheck | None) -> int:
    return check.interval if check else int(settings.DEPLOYMENT_STATUS_SECONDS)


def lines(environment: Environment, services: Sequence[Service], check: ServiceCheck | None) -> list[Line]:
    """The services, those that need somebody first."""
    statuses = {
        row.service_arn: row for row in ServiceStatus.objects.filter(environment=environment).defer("tasks")
    }
    ended, open_ones = _newest(environment)
    found = [
        _line(environment, service, services, statuses.get(service.arn), check, ended, open_ones)
        for service in services
    ]
    return sorted(found, key=lambda line: line.verdict.rank)


Newest = Mapping[str, history.Row]


def _newest(environment: Environment) -> tuple[Newest, Newest]:
    """Service ARN -> its newest deployment that ended, and its newest that has not."""
    parts = history.of_environment(environment).order_by()
    ended = parts.exclude(deployment__change__status__in=OPEN)
    working = parts.filter(deployment__change__status__in=OPEN)
    newest = [
        part
        for rows in (ended, working)
        for part in rows.values("service_arn").annotate(newest=Max("pk")).values_list("newest", flat=True)
    ]
    found = history.rows(list(history.listed(DeploymentPart.objects.filter(pk__in=newest))))
    return (
        {row.part.service_arn: row for row in found if not row.change.is_open},
        {row.part.service_arn: row for row in found if row.change.is_open},
    )


def _line(
    environment: Environment,
    service: Service,
    among: Sequence[Service],
    status: ServiceStatus | None,
    check: ServiceCheck | None,
    ended: Newest,
    open_ones: Newest,
) -> Line:
    image = running_image(service, status)
    return Line(
        service=service,
        link=service_url(environment, service, among),
        status=status,
        verdict=judge(
            status,
            interval=interval_of(check),
            terraform=service.declaration.task_definition,
            production=environment.is_production,
        ),
        tag=_tag(image, open_ones.get(service.arn), ended.get(service.arn)),
        digest=image.get("digest", ""),
        last=ended.get(service.arn),
        open_change=open_ones.get(service.arn),
        buttons=buttons(environment, handle(environment, service, among), ended.get(service.arn)),
    )


def _tag(image: Mapping[str, str], *deployed: history.Row | None) -> str:
    """The running image's tag: a revision that was deployed names only the digest, who asked named a tag."""
    for row in deployed:
        if row is not None and row.part.digest and row.part.digest == image.get("digest"):
            return row.part.tag
    return image.get("tag", "")


def running_image(service: Service, status: ServiceStatus | None) -> dict[str, str]:
    """image, tag and digest of the service's own container at the last look."""
    images: dict[str, dict[str, str]] = status.images if status else {}
    return images.get(service.declaration.container) or next(iter(images.values()), {})


def buttons(environment: Environment, name: str, last: history.Row | None) -> list[Button]:
    """Requests for this service; pages that are not there are not linked."""
    slugs = (environment.tenant.slug, environment.slug)
    asked = [
        Button(_("Deploy"), optional("deployments:request", *slugs), "primary"),
        Button(_("Roll back"), optional("deployments:rollback", *slugs)),
        Button(_("Restart"), optional("deployments:restart", *slugs)),
        Button(_("Scale"), optional("deployments:scale", *slugs)),
    ]
    query = urlencode({"service": name})
    return [Button(one.label, f"{one.url}?{query}", one.variant) for one in asked if one.url]


def context(environment: Environment, roles: frozenset[str]) -> dict[str, Any]:
    """The Services tab."""
    services = services_of(environment)
    check = ServiceCheck.objects.filter(environment=environment).first()
    return {
        "lines": lines(environment, services, check) if services else [],
        "interval": interval_of(check),
        "looking": check is not None and check.lease_until is not None,
        "has_account": access_of(environment) is not None,
        "look_denied": refusal(roles, "service.look"),
        "request_denied": refusal(roles, "change.request"),
        "promote_url": optional("deployments:promote", environment.tenant.slug, environment.slug),
        "pipeline_url": optional("deployments:pipeline", environment.tenant.slug, environment.slug),
        "problems": [
            (service.name, problem) for service in services for problem in service.declaration.problems
        ],
    }
