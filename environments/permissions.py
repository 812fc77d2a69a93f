"""Who may do what in a tenant: one table of verbs, asked in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import Http404
from django.utils.translation import gettext as _

from environments.models import Environment, Membership, Role, Tenant
from portal.accounts.models import User
from portal.accounts.principals import Principal
from portal.audit import Actor
from portal.core.errors import NotAllowed

ALL: Final = frozenset(Role.values)
OPERATE: Final = frozenset({Role.OPERATOR})
MANAGE: Final = frozenset({Role.ADMIN})

# verb -> the roles that may. Voting is not here: the approval policy names its roles.
VERBS: Final[dict[str, frozenset[str]]] = {
    "environment.view": ALL,
    "environment.create": frozenset({Role.OPERATOR, Role.ADMIN}),
    "environment.update": frozenset({Role.OPERATOR, Role.ADMIN}),
    "environment.clone": frozenset({Role.OPERATOR, Role.ADMIN}),
    "environment.hold": frozenset({Role.OPERATOR, Role.APPROVER, Role.SECURITY, Role.ADMIN}),
    "environment.release": frozenset({Role.OPERATOR, Role.ADMIN}),
    "environment.retire": MANAGE,
    "definition.create": OPERATE,
    "change.request": OPERATE,
    "change.start": OPERATE,
    "change.cancel": frozenset({Role.OPERATOR, Role.ADMIN}),
    "change.kill": MANAGE,
    "change.comment": ALL - {Role.VIEWER},
    "change.break_glass": frozenset({Role.OPERATOR, Role.APPROVER, Role.SECURITY}),
    "change.review": frozenset({Role.APPROVER, Role.SECURITY, Role.FINANCE, Role.AUDITOR, Role.ADMIN}),
    "policy.update": MANAGE,
    "state.read": MANAGE,
    "state.unlock": MANAGE,
    "state.lock": frozenset({Role.OPERATOR, Role.ADMIN}),
    "state.edit": frozenset({Role.OPERATOR, Role.ADMIN}),
    # Handing out a token with which a terraform command line writes; using one.
    "state.token": MANAGE,
    "state.write": frozenset({Role.OPERATOR, Role.ADMIN}),
    # Making and ending tokens with which a build pipeline deploys.
    "deployment.token": frozenset({Role.OPERATOR, Role.ADMIN}),
    "leftover.settle": frozenset({Role.OPERATOR, Role.ADMIN}),
    "drift.check": OPERATE,
    # A look at running services costs a few calls of AWS's quota and alters nothing.
    "service.look": frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMIN}),
    "drift.ignore": frozenset({Role.OPERATOR, Role.ADMIN}),
    "extra.settle": frozenset({Role.OPERATOR, Role.SECURITY, Role.ADMIN}),
    # Living with a high risk is not the word of whoever made it.
    "extra.settle_high_risk": frozenset({Role.SECURITY, Role.APPROVER, Role.ADMIN}),
    "audit.view": frozenset({Role.AUDITOR, Role.ADMIN}),
    "account.manage": MANAGE,
    "membership.manage": MANAGE,
    "tenant.update": MANAGE,
}


def roles_of(user: User | None, tenant: Tenant) -> frozenset[str]:
    """The person's roles in this tenant. A portal administrator counts as its admin, and as nothing else."""
    if user is None or not user.is_active:
        return frozenset()
    # Asked of the database: `user` may have been read before the person left.
    held = Membership.objects.filter(user=user, user__is_active=True, tenant=tenant)
    roles = set(held.values_list("role", flat=True))
    return frozenset(roles | ({Role.ADMIN.value} if user.is_portal_admin else set()))


def roles_by_tenant(user: User, tenants: Iterable[int]) -> dict[int, frozenset[str]]:
    """As `roles_of`, for many tenants (primary keys) in one query."""
    own = {Role.ADMIN.value} if user.is_portal_admin else set()
    found: dict[int, set[str]] = {tenant: set(own) for tenant in tenants}
    held = Membership.objects.filter(user=user, tenant_id__in=found).values_list("tenant_id", "role")
    for tenant, role in held if user.is_active else ():
        found[tenant].add(role)
    return {tenant: frozenset(roles) for tenant, roles in found.items()}


def tenant_of(target: Environment | Tenant) -> Tenant:
    return target.tenant if isinstance(target, Environment) else target


def refusal(roles: Iterable[str], verb: str) -> str | None:
    """Why somebody with these roles may not do this; None when they may."""
    allowed = VERBS[verb]
    if allowed & frozenset(roles):
        return None
    names = ", ".join(str(Role(role).label) for role in sorted(allowed))
    return _("This needs one of these roles in the tenant: %(roles)s.") % {"roles": names}


def require(by: Principal, target: Environment | Tenant, verb: str) -> frozenset[str]:
    """Let through or raise: Http404 when they may not even see it, NotAllowed with the reason otherwise.

    Returns the roles held, for the audit record. The portal itself (no user) may do everything it is coded to.
    """
    if by.user is None:
        return frozenset()
    tenant = tenant_of(target)
    roles = roles_of(by.user, tenant)
    if not roles or not by.reaches(target.key if isinstance(target, Environment) else ""):
        raise Http404
    reason = refusal(roles, verb)
    if reason:
        raise NotAllowed(reason)
    return roles


def actor(by: Principal, target: Environment | Tenant) -> Actor:
    """The audit log's actor: the principal with the roles held in this tenant at this moment."""
    return by.actor(sorted(roles_of(by.user, tenant_of(target))))
