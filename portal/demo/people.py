"""The demonstration's people: each has the role of their name."""

from __future__ import annotations

from typing import Final

from environments import actions
from environments.models import Membership, Role, Tenant
from portal.accounts.models import User
from portal.accounts.principals import Principal

PASSWORD: Final = "gatehouse-demo"  # noqa: S105 - public on purpose; production refuses the demonstration
# user name, shown name, role
PEOPLE: Final = (
    ("viewer", "Vera Viewer", Role.VIEWER),
    ("operator", "Oskar Operator", Role.OPERATOR),
    ("operator2", "Olga Operator", Role.OPERATOR),
    ("approver", "Anna Approver", Role.APPROVER),
    ("security", "Sam Security", Role.SECURITY),
    ("finance", "Fiona Finance", Role.FINANCE),
    ("auditor", "Aron Auditor", Role.AUDITOR),
    ("admin", "Ada Admin", Role.ADMIN),
)
OUTSIDER: Final = ("outsider", "Otto Outsider")


def create_people() -> dict[str, User]:
    """The demonstration's users by name; those that exist stay as they are."""
    found: dict[str, User] = {}
    for username, name, role in (*PEOPLE, (*OUTSIDER, Role.OPERATOR)):
        user = User.objects.filter(username=username).first()
        if user is None:
            user = User(
                username=username,
                display_name=name,
                email=f"{username}@gatehouse.example",
                time_zone="Asia/Seoul",
                is_portal_admin=role == Role.ADMIN,
            )
            user.set_password(PASSWORD)
            user.save()
        found[username] = user
    return found


def grant_roles(by: Principal, people: dict[str, User], tenants: list[Tenant]) -> None:
    """Everybody their role in the three tenants; the outsider all operating roles of another one."""
    for tenant in tenants:
        for username, _name, role in PEOPLE:
            if not Membership.objects.filter(user=people[username], tenant=tenant, role=role).exists():
                actions.grant_role(by=by, tenant=tenant, user=people[username], role=role)


def grant_outsider(by: Principal, people: dict[str, User], tenant: Tenant) -> None:
    for role in (Role.OPERATOR, Role.APPROVER, Role.ADMIN):
        if not Membership.objects.filter(user=people["outsider"], tenant=tenant, role=role).exists():
            actions.grant_role(by=by, tenant=tenant, user=people["outsider"], role=role)
