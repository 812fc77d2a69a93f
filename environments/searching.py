"""Search hits among tenants and environments."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from environments.models import Environment, Tenant
from environments.registry import Hit
from portal.accounts.models import User

TENANTS_SHOWN = 10
ENVIRONMENTS_SHOWN = 15


def search(user: User, text: str) -> Iterable[Hit]:
    """Every word is a part of the tenant's or the environment's name; an id "tenant.environment" works too."""
    words = text.replace(".", " ").split()
    of_tenant, of_environment = Q(), Q()
    for word in words:
        of_tenant &= Q(name__icontains=word) | Q(slug__icontains=word)
        in_tenant = Q(tenant__name__icontains=word) | Q(tenant__slug__icontains=word)
        of_environment &= Q(name__icontains=word) | Q(slug__icontains=word) | in_tenant
    if not words:
        return
    for tenant in Tenant.objects.visible_to(user).filter(of_tenant)[:TENANTS_SHOWN]:
        link = reverse("environments:tenant", args=[tenant.slug])
        yield Hit(_("Tenant"), tenant.name, _short(tenant.description), link)
    rows = Environment.objects.visible_to(user).select_related("tenant").filter(of_environment)
    for row in rows[:ENVIRONMENTS_SHOWN]:
        link = reverse("environments:detail", args=[row.tenant.slug, row.slug])
        yield Hit(_("Environment"), str(row), _short(row.description), link)


def _short(text: str) -> str:
    return str(Truncator(text).chars(100))
