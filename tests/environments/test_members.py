"""Giving and taking roles."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments.models import Membership, Role, Tenant
from portal.accounts.models import User
from tests.cast import member
from tests.environments.recorded import last, outcomes

SignIn = Callable[[User], Client]
PAGE = "/tenants/triflow/people/"


def roles(user: User, tenant: Tenant) -> set[str]:
    return set(Membership.objects.filter(user=user, tenant=tenant).values_list("role", flat=True))


def test_an_admin_gives_a_role(sign_in: SignIn, admin: User, viewer: User, tenant: Tenant) -> None:
    answer = sign_in(admin).post(PAGE, {"username": "viewer", "role": "approver"})
    assert answer["Location"] == PAGE
    assert roles(viewer, tenant) == {"viewer", "approver"}
    event = last("membership.grant")
    assert (event.target_id, event.after, event.tenant_id) == ("viewer", {"role": "approver"}, "triflow")


def test_giving_it_twice_is_one_role_and_one_record(
    sign_in: SignIn, admin: User, viewer: User, tenant: Tenant
) -> None:
    client = sign_in(admin)
    for _time in range(2):
        assert client.post(PAGE, {"username": "viewer", "role": "approver"}).status_code == 302
    assert Membership.objects.filter(user=viewer, role="approver").count() == 1
    assert outcomes("membership.grant") == [("admin", "done")]


def test_an_admin_takes_a_role(sign_in: SignIn, admin: User, operator: User, tenant: Tenant) -> None:
    client = sign_in(admin)
    for _time in range(2):
        answer = client.post(PAGE, {"username": "operator", "role": "operator", "revoke": "1"})
        assert answer.status_code == 302
    assert roles(operator, tenant) == set()
    assert outcomes("membership.revoke") == [("admin", "done")]


def test_the_last_admin_stays(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    answer = sign_in(admin).post(PAGE, {"username": "admin", "role": "admin", "revoke": "1"})
    assert answer.status_code == 400
    assert "last admin" in answer.content.decode()
    assert Role.ADMIN in roles(admin, tenant)
    assert outcomes("membership.revoke") == [("admin", "refused")]


def test_one_of_two_admins_may_go(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    second = member("second", tenant, Role.ADMIN)
    answer = sign_in(admin).post(PAGE, {"username": "second", "role": "admin", "revoke": "1"})
    assert answer.status_code == 302
    assert roles(second, tenant) == set()


@pytest.mark.parametrize("revoke", ["", "1"])
def test_others_may_not(sign_in: SignIn, operator: User, viewer: User, tenant: Tenant, revoke: str) -> None:
    form = {"username": "viewer", "role": "viewer" if revoke else "admin", "revoke": revoke}
    assert sign_in(operator).post(PAGE, form).status_code == 403
    assert roles(viewer, tenant) == {"viewer"}
    action = "membership.revoke" if revoke else "membership.grant"
    assert outcomes(action) == [("operator", "refused")]


def test_nobody_of_that_name(sign_in: SignIn, admin: User) -> None:
    answer = sign_in(admin).post(PAGE, {"username": "nemo", "role": "viewer"})
    assert answer.status_code == 400
    assert "Nobody has this user name" in answer.content.decode()
    assert "nemo" in answer.content.decode()


def test_who_left_gets_no_role(sign_in: SignIn, admin: User, viewer: User, tenant: Tenant) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    answer = sign_in(admin).post(PAGE, {"username": "viewer", "role": "approver"})
    assert answer.status_code == 400
    assert "has left" in answer.content.decode()
    assert roles(viewer, tenant) == {"viewer"}


def test_a_role_of_another_tenant_gives_nothing_here(
    sign_in: SignIn, outsider: User, admin: User, tenant: Tenant
) -> None:
    assert sign_in(outsider).post(PAGE, {"username": "outsider", "role": "admin"}).status_code == 404
    assert roles(outsider, tenant) == set()
