"""What every page about one environment shares: finding it, its tabs, its path, its banners."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from environments.models import Environment, Tenant
from environments.permissions import roles_of
from environments.registry import registry
from portal.accounts.models import User
from portal.accounts.principals import principal_of


def person_of(request: HttpRequest) -> User:
    """Who is signed in; the access rule has made sure that somebody is."""
    assert isinstance(request.user, User)
    return request.user


def find_tenant(request: HttpRequest, slug: str) -> Tenant:
    """The tenant, or 404 for those who may not see it."""
    found: Tenant | None = Tenant.objects.visible_to(person_of(request)).filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def find_environment(request: HttpRequest, tenant: str, slug: str) -> Environment:
    """The environment, or 404 for those who may not see it."""
    visible = Environment.objects.visible_to(person_of(request)).select_related("tenant", "account")
    found: Environment | None = visible.filter(tenant__slug=tenant, slug=slug).first()
    if found is None or not principal_of(request).reaches(found.key):
        raise Http404
    return found


def crumbs_of(request: HttpRequest, environment: Environment) -> list[dict[str, Any]]:
    """Tenant / environment as a path whose steps switch to their siblings."""
    user = person_of(request)
    tenants = Tenant.objects.visible_to(user)
    siblings = environment.tenant.environments.filter(retired_at=None).order_by("slug")
    return [
        {
            "label": environment.tenant.name,
            "url": reverse("environments:tenant", args=[environment.tenant.slug]),
            "siblings": [
                {
                    "label": row.name,
                    "url": reverse("environments:tenant", args=[row.slug]),
                    "current": row.pk == environment.tenant_id,
                }
                for row in tenants[:30]
            ],
        },
        {
            "label": environment.name,
            "url": reverse("environments:detail", args=[environment.tenant.slug, environment.slug]),
            "siblings": [
                {
                    "label": row.name,
                    "url": reverse("environments:detail", args=[environment.tenant.slug, row.slug]),
                    "current": row.pk == environment.pk,
                }
                for row in siblings[:30]
            ],
        },
    ]


def environment_context(request: HttpRequest, environment: Environment, tab: str) -> dict[str, Any]:
    """Context of a page under an environment: `tab` is the key of the open tab, "" for none of them."""
    slugs = [environment.tenant.slug, environment.slug]
    return {
        "environment": environment,
        "tenant": environment.tenant,
        "section": "tenants",
        "crumbs": crumbs_of(request, environment),
        "print_line": f"{environment.tenant.name} / {environment.name}",
        "sandbox": environment.account is not None and environment.account.is_sandbox,
        "hold": environment.active_hold,
        "roles": roles_of(person_of(request), environment.tenant),
        "tabs_label": _("Parts of the environment"),
        "tabs": [
            {
                "label": _(entry.title),
                "url": reverse(entry.url_name, args=slugs),
                "current": entry.key == tab,
                "count": entry.count(environment) if entry.count else None,
            }
            for entry in registry.sorted_tabs()
        ],
    }


def tenant_context(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    """Context of a page under a tenant."""
    user = person_of(request)
    kinds = {account.kind for account in tenant.accounts.all()}
    return {
        "tenant": tenant,
        "section": "tenants",
        "crumbs": [
            {
                "label": tenant.name,
                "url": reverse("environments:tenant", args=[tenant.slug]),
                "siblings": [
                    {
                        "label": row.name,
                        "url": reverse("environments:tenant", args=[row.slug]),
                        "current": row.pk == tenant.pk,
                    }
                    for row in Tenant.objects.visible_to(user)[:30]
                ],
            }
        ],
        "print_line": tenant.name,
        "sandbox": kinds == {"sandbox"},
        "roles": roles_of(user, tenant),
    }
