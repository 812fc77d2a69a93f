"""Who has which role in a tenant; given and taken by its admins."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.actions.tenants import target_of
from environments.acts import acting
from environments.models import Membership, Role, Tenant
from environments.permissions import actor, require
from environments.registry import registry
from portal import audit
from portal.accounts.models import User
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput


def grant_role(*, by: Principal, tenant: Tenant, user: User, role: str) -> Membership:
    """Give a person a role; having it already is fine. Raises NotAllowed, InvalidInput."""
    if role not in Role.values:
        raise InvalidInput({"role": [_("Use one of: %(roles)s.") % {"roles": ", ".join(Role.values)}]})
    with acting(by, tenant, action="membership.grant", target=target_of(tenant)):
        require(by, tenant, "membership.manage")
        if not user.is_active:
            raise Conflict(_("%(user)s has left; take them back in first.") % {"user": user})
        membership, created = Membership.objects.get_or_create(user=user, tenant=tenant, role=role)
        if created:
            _record(by, tenant, user, role, "membership.grant")
    return membership


def revoke_role(*, by: Principal, tenant: Tenant, user: User, role: str) -> None:
    """Take a role away; not having it is fine. Raises NotAllowed, Conflict for the last admin."""
    with acting(by, tenant, action="membership.revoke", target=target_of(tenant)):
        require(by, tenant, "membership.manage")
        others = Membership.objects.filter(tenant=tenant, role=Role.ADMIN).exclude(user=user)
        if role == Role.ADMIN and not others.exists():
            raise Conflict(_("This is the tenant's last admin; make somebody else admin first."))
        gone, _rows = Membership.objects.filter(user=user, tenant=tenant, role=role).delete()
        if gone:
            _record(by, tenant, user, role, "membership.revoke")
            for lost in registry.on_role_lost:
                lost(by, tenant, user)


def _record(by: Principal, tenant: Tenant, user: User, role: str, action: str) -> None:
    audit.record(
        actor=actor(by, tenant),
        action=action,
        target=audit.Target("person", user.username, str(user)),
        tenant=tenant.ref,
        after={"role": role},
    )
