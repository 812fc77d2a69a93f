"""The fixed cast of the tests: the demo's people, each with the role of their name in one tenant.

`outsider` is an operator of another tenant. `admin` is a portal administrator too, as in the demo.
Every password is PASSWORD. `sign_in` gives a browser-like client of a person, `api` one with a token.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from environments.models import Membership, Role, Tenant
from portal.accounts.actions import create_token
from portal.accounts.models import User
from portal.accounts.principals import Principal

PASSWORD = "correct horse battery staple"


def person(username: str, **values: object) -> User:
    """A person who can sign in, written straight to the database: no audit event, no password rules."""
    display_name = str(values.pop("display_name", username.capitalize()))
    return User.objects.create(
        username=username,
        display_name=display_name,
        email=f"{username}@example.com",
        password=make_password(PASSWORD),
        date_joined=timezone.now(),
        **values,
    )


def member(username: str, tenant: Tenant, *roles: str, **values: object) -> User:
    user = person(username, **values)
    Membership.objects.bulk_create(Membership(user=user, tenant=tenant, role=role) for role in roles)
    return user


def by(user: User, *, address: str = "192.0.2.10") -> Principal:
    """The person as an action's `by`, as if they pressed a button."""
    return Principal(user, "user", address=address, request_id="test-request", name=str(user))


@pytest.fixture
def tenant(db: None) -> Tenant:
    return Tenant.objects.create(slug="triflow", name="TriFlow AI")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return Tenant.objects.create(slug="onno", name="Onno")


@pytest.fixture
def viewer(tenant: Tenant) -> User:
    return member("viewer", tenant, Role.VIEWER)


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return member("operator", tenant, Role.OPERATOR)


@pytest.fixture
def operator2(tenant: Tenant) -> User:
    return member("operator2", tenant, Role.OPERATOR)


@pytest.fixture
def approver(tenant: Tenant) -> User:
    return member("approver", tenant, Role.APPROVER)


@pytest.fixture
def security(tenant: Tenant) -> User:
    return member("security", tenant, Role.SECURITY)


@pytest.fixture
def finance(tenant: Tenant) -> User:
    return member("finance", tenant, Role.FINANCE)


@pytest.fixture
def auditor(tenant: Tenant) -> User:
    return member("auditor", tenant, Role.AUDITOR)


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return member("admin", tenant, Role.ADMIN, is_portal_admin=True)


@pytest.fixture
def outsider(other_tenant: Tenant) -> User:
    return member("outsider", other_tenant, Role.OPERATOR)


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """A client with the person's session; CSRF is checked only where a test asks for it."""

    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """An API client with a token of the person."""

    def client_of(user: User, **options: object) -> APIClient:
        _token, plain = create_token(by=by(user), name="test", **options)  # type: ignore[arg-type]
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {plain}")
        return client

    return client_of
