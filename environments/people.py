"""What memberships say on the pages of people: who knows whom, who has which role where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from environments.models import Membership, Role
from portal.accounts.models import User
from portal.accounts.querysets import UserQuerySet


def colleagues(people: UserQuerySet, user: User) -> UserQuerySet:
    """Those who share a tenant with this person, and the person."""
    tenants = user.memberships.values("tenant_id")
    sharing = Membership.objects.filter(tenant_id__in=tenants).values("user_id")
    return people.filter(Q(pk=user.pk) | Q(pk__in=sharing))


def summaries(people: Sequence[User]) -> dict[int, str]:
    """ "TriFlow AI: Operator, Approver; Onno: Viewer" for each of these people, in one query."""
    found: dict[int, dict[str, list[str]]] = {}
    rows = Membership.objects.filter(user__in=people).select_related("tenant")
    for row in rows.order_by("tenant__name", "role"):
        roles = found.setdefault(row.user_id, {}).setdefault(row.tenant.name, [])
        roles.append(str(Role(row.role).label))
    return {
        pk: "; ".join(f"{tenant}: {', '.join(roles)}" for tenant, roles in tenants.items())
        for pk, tenants in found.items()
    }


def panel(request: HttpRequest, person: User) -> dict[str, Any]:
    """Context of templates/environments/_memberships.html: the person's roles by tenant."""
    tenants: dict[int, tuple[Any, list[Membership]]] = {}
    rows = Membership.objects.filter(user=person).select_related("tenant").order_by("tenant__name", "role")
    for row in rows:
        tenants.setdefault(row.tenant_id, (row.tenant, []))[1].append(row)
    return {"tenants": list(tenants.values())}
