"""Who may manage people and tokens, for pages, actions and API alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission

from portal.accounts.access import rule_of
from portal.accounts.models import User
from portal.audit import Target, record_refusal
from portal.core.errors import GatehouseError, NotAllowed

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from portal.accounts.principals import Principal


def person_target(person: User) -> Target:
    return Target("person", person.username, str(person))


def refuse(by: Principal, action: str, target: Target, error: GatehouseError) -> GatehouseError:
    """Writes the refusal down and hands the error back, to be raised. Only outside transactions."""
    record_refusal(actor=by.actor(), action=action, target=target, reason=error.message)
    return error


def require_portal_admin(by: Principal, action: str, target: Target) -> None:
    """Managing people is for portal administrators, and for the portal's own commands (no user)."""
    if by.kind in ("system", "worker") or (by.is_portal_admin and by.kind == "user"):
        return
    if by.is_portal_admin:
        reason = _("People are managed on the pages, signed in: an API token may not do it.")
    else:
        reason = _("Only portal administrators may manage people.")
    raise refuse(by, action, target, NotAllowed(reason))


class DeclaredAccess(BasePermission):
    """Holds a DRF view to the access rule it declares; one without a rule stays closed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        rule = rule_of(type(view))
        if rule in ("public", "machine"):
            return True
        user = request.user
        if rule is None or not isinstance(user, User) or not user.is_active:
            return False
        return rule == "signed_in" or user.is_portal_admin
