"""Tenants: portal administrators take them in; their admins keep the facts true."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from environments.actions.checking import check, facts, links
from environments.acts import acting
from environments.models import Tenant
from environments.permissions import actor, require
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import InvalidInput, NotAllowed

FIELDS = ("name", "description", "owner", "repository", "on_call", "currency", "links")


def target_of(tenant: Tenant) -> audit.Target:
    return audit.Target("tenant", tenant.slug, tenant.name)


def create_tenant(*, by: Principal, slug: str, name: str, **fields: Any) -> Tenant:
    """Take in a tenant. Raises NotAllowed, InvalidInput."""
    if by.user is not None and not by.user.is_portal_admin:
        target = audit.Target("tenant", slug[:40], name[:80])
        reason = _("Only portal administrators take in tenants.")
        audit.record_refusal(actor=by.actor(), action="tenant.create", target=target, reason=reason)
        raise NotAllowed(reason)
    if slug == "portal":
        raise InvalidInput({"slug": [_("“portal” is the audit chain of the portal itself; choose another.")]})
    fields["links"] = links(fields.get("links", []))
    tenant = Tenant(slug=slug, name=name.strip(), **fields)
    check(tenant)
    with transaction.atomic():
        tenant.save()
        audit.record(
            actor=actor(by, tenant),
            action="tenant.create",
            target=target_of(tenant),
            tenant=tenant.ref,
            after=facts(tenant, FIELDS),
        )
    return tenant


def update_tenant(*, by: Principal, tenant: Tenant, **fields: Any) -> Tenant:
    """Alter what is known of a tenant; its slug stays. Raises NotAllowed, InvalidInput."""
    with acting(by, tenant, action="tenant.update", target=target_of(tenant)):
        require(by, tenant, "tenant.update")
        before = facts(tenant, FIELDS)
        if "links" in fields:
            fields["links"] = links(fields["links"])
        for name in FIELDS:
            if name in fields:
                setattr(tenant, name, fields[name])
        check(tenant)
        tenant.save()
        audit.record(
            actor=actor(by, tenant),
            action="tenant.update",
            target=target_of(tenant),
            tenant=tenant.ref,
            before=before,
            after=facts(tenant, FIELDS),
        )
    return tenant
