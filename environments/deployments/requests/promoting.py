"""From where images can be promoted, and which service's image would come for which."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from environments.deployments.asked.asking import counterpart
from environments.deployments.models import ServiceStatus
from environments.deployments.requests.page import statuses
from environments.deployments.services import TYPE, Service, services_of
from environments.models import Environment
from environments.pages import person_of
from portal.accounts.principals import principal_of


@dataclass(frozen=True)
class Pair:
    """A service here and the one whose image would come; `there` None when the source has none like it."""

    here: Service
    there: Service | None
    look: ServiceStatus | None
    source_look: ServiceStatus | None

    @property
    def now(self) -> dict[str, str]:
        """image, tag and digest that run here."""
        return _image(self.here, self.look)

    @property
    def comes(self) -> dict[str, str]:
        """image, tag and digest that run there."""
        return _image(self.there, self.source_look) if self.there else {}

    @property
    def same(self) -> bool:
        digest = self.comes.get("digest")
        return bool(digest) and digest == self.now.get("digest")


def sources(request: HttpRequest, environment: Environment) -> list[Environment]:
    """Other environments of the tenant with services, which this person may see."""
    token = principal_of(request)
    rows = (
        Environment.objects.visible_to(person_of(request))
        .filter(tenant=environment.tenant, retired_at=None, resources__type=TYPE)
        .exclude(pk=environment.pk)
        .exclude(account=None)
        .select_related("tenant")
        .distinct()
        .order_by("slug")
    )
    return [row for row in rows if token.reaches(row.key)]


def source_named(request: HttpRequest, environment: Environment) -> Environment | None:
    """The environment that the form or the address names; the only one there is needs no name."""
    wanted = request.POST.get("from") or request.GET.get("from", "")
    found = sources(request, environment)
    named = [row for row in found if wanted in (row.slug, row.key)]
    if not wanted and len(found) == 1:
        return found[0]
    return named[0] if named else None


def pairs(environment: Environment, source: Environment | None) -> list[Pair]:
    """Each service here with its counterpart in the source, and the last looks at both."""
    if source is None:
        return []
    here, there = services_of(environment), services_of(source)
    looks, source_looks = statuses(environment), statuses(source)
    found = []
    for service in here:
        other = counterpart(service, there)
        source_look = source_looks.get(other.arn) if other else None
        found.append(Pair(service, other, looks.get(service.arn), source_look))
    return found


def _image(service: Service, look: ServiceStatus | None) -> dict[str, str]:
    images: dict[str, dict[str, str]] = look.images if look else {}
    return images.get(service.declaration.container) or next(iter(images.values()), {})
