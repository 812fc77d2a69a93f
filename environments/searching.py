"""Search hits among tenants and environments."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from environments.models import Environment, Tenant
from environments.registry import Hit
from portal.accounts.models import User


def search(user: User, text: str) -> Iterable[Hit]:
    """Any part of a tenant's or an environment's name."""
    for tenant in Tenant.objects.visible_to(user).filter(Q(name__icontains=text) | Q(slug__icontains=text))[
        :10
    ]:
        yield Hit(
            _("Tenant"),
            tenant.name,
            tenant.description[:80],
            reverse("environments:tenant", args=[tenant.slug]),
        )
    rows = Environment.objects.visible_to(user).select_related("tenant")
    for row in rows.filter(
        Q(name__icontains=text) | Q(slug__icontains=text) | Q(tenant__name__icontains=text)
    )[:15]:
        link = reverse("environments:detail", args=[row.tenant.slug, row.slug])
        yield Hit(_("Environment"), str(row), row.description[:80], link)
