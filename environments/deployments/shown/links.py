"""Where the buttons of a service lead; pages that are not there are not linked."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import NoReverseMatch, reverse

from environments.deployments.services import Service
from environments.models import Environment


def handle(environment: Environment, service: Service, among: Sequence[Service] | None = None) -> str:
    """What names the service in addresses: its name, or its address where two clusters have one of that name."""
    twins = [one for one in among or () if one.name == service.name]
    return service.address if len(twins) > 1 else service.name


def service_url(environment: Environment, service: Service, among: Sequence[Service] | None = None) -> str:
    name = handle(environment, service, among)
    return reverse("deployments:service", args=[environment.tenant.slug, environment.slug, name])


def optional(name: str, *args: object) -> str:
    """The address of a page, or nothing where there is none of that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
