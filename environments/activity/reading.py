"""Who may read which part of the audit log."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from environments.models import Environment, Membership, Tenant
from environments.permissions import VERBS
from portal.accounts.models import User
from portal.audit.models import PORTAL_CHAIN, AuditEvent
from portal.audit.querysets import AuditEventQuerySet
from portal.core.errors import NotAllowed


def readable_tenants(user: User) -> list[Tenant]:
    """Tenants whose whole log this person may read: auditors and admins; portal administrators read all."""
    tenants = Tenant.objects.visible_to(user)
    if not user.is_portal_admin:
        held = Membership.objects.filter(user=user, role__in=VERBS["audit.view"])
        tenants = tenants.filter(pk__in=held.values("tenant_id"))
    return list(tenants)


def may_read(user: User, chain: str) -> bool:
    """Whether this person may read the chain of this name, addresses included."""
    if user.is_portal_admin:
        return True
    held = Membership.objects.filter(user=user, tenant__slug=chain, role__in=VERBS["audit.view"])
    return chain != PORTAL_CHAIN and held.exists()


def visible_to(user: User, tenants: list[Tenant]) -> AuditEventQuerySet:
    """The events this person may read. `tenants` is what `readable_tenants` said; the portal's own chain
    is for portal administrators. Raises NotAllowed when there is nothing they may read."""
    if user.is_portal_admin:
        return AuditEvent.objects.all()
    if not tenants:
        raise NotAllowed(
            _("The activity log is read by auditors and admins of a tenant."),
            hint=_("What happened in an environment stands on its own page, under Activity."),
            code="audit-view",
        )
    return AuditEvent.objects.for_chains(tenant.slug for tenant in tenants)


def of_environment(environment: Environment) -> AuditEventQuerySet:
    """What happened in one environment: for every member of its tenant, without addresses."""
    return AuditEvent.objects.for_chains([environment.tenant.slug]).filter(environment=environment.slug)


def find_event(user: User, uuid: UUID) -> tuple[AuditEvent, bool]:
    """The event, and whether everything of it may be shown; 404 for those who may not see it.

    A member of the tenant sees the events of its environments, without where they came from.
    """
    event = AuditEvent.objects.filter(uuid=uuid).first()
    if event is None:
        raise Http404
    if may_read(user, event.chain):
        return event, True
    tenant = Tenant.objects.visible_to(user).filter(slug=event.chain).first()
    if tenant is None or not event.environment:
        raise Http404
    return event, False
