"""Registering and altering AWS accounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments.models import AwsAccount, Tenant
from portal.accounts.models import User
from tests.environments.recorded import last, outcomes

SignIn = Callable[[User], Client]
NEW = "/tenants/triflow/accounts/new/"
FORM = {
    "name": "production",
    "account_id": "210000000002",
    "kind": "sandbox",
    "default_region": "ap-northeast-2",
}


def test_an_admin_registers_one(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    answer = sign_in(admin).post(NEW, FORM)
    assert answer["Location"] == "/tenants/triflow/accounts/"
    assert AwsAccount.objects.get().is_sandbox
    event = last("account.create")
    assert event.target_id == "210000000002"
    assert event.after["kind"] == "sandbox"  # type: ignore[index]


def test_twice_is_refused_beside_the_form(sign_in: SignIn, admin: User, tenant: Tenant) -> None:
    client = sign_in(admin)
    client.post(NEW, FORM)
    answer = client.post(NEW, FORM)
    assert answer.status_code == 400
    assert AwsAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("account_id", "12", "twelve digits"),
        ("role_arn", "arn:aws:iam::1:user/me", "Use arn:aws:iam"),
        ("kind", "moon", "valid choice"),
    ],
)
def test_wrong_input(sign_in: SignIn, admin: User, tenant: Tenant, field: str, value: str, said: str) -> None:
    answer = sign_in(admin).post(NEW, {**FORM, field: value})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not AwsAccount.objects.exists()


def test_an_operator_may_not(sign_in: SignIn, operator: User, account: AwsAccount) -> None:
    client = sign_in(operator)
    assert client.post(NEW, FORM).status_code == 403
    assert client.post(f"/tenants/triflow/accounts/{account.pk}/", FORM).status_code == 403
    assert AwsAccount.objects.get().name == "triflow-staging"
    assert outcomes("account.create") == [("operator", "refused")]
    assert outcomes("account.update") == [("operator", "refused")]


def test_from_the_sandbox_to_the_real_aws_is_an_edit_that_is_written_down(
    sign_in: SignIn, admin: User, account: AwsAccount
) -> None:
    form = {**FORM, "kind": "aws", "role_arn": "arn:aws:iam::210000000002:role/gatehouse"}
    assert sign_in(admin).post(f"/tenants/triflow/accounts/{account.pk}/", form).status_code == 302
    account.refresh_from_db()
    assert not account.is_sandbox
    event = last("account.update")
    assert (event.before["kind"], event.after["kind"]) == ("sandbox", "aws")  # type: ignore[index]


def test_the_lists_say_which_aws_it_is(sign_in: SignIn, viewer: User, account: AwsAccount) -> None:
    client = sign_in(viewer)
    for path in ("/tenants/triflow/accounts/", "/settings/aws-accounts/"):
        assert "sandbox: simulated" in client.get(path).content.decode()
    AwsAccount.objects.update(kind="aws")
    for path in ("/tenants/triflow/accounts/", "/settings/aws-accounts/"):
        assert "sandbox: simulated" not in client.get(path).content.decode()


def test_settings_have_the_accounts_of_my_tenants_only(
    sign_in: SignIn, viewer: User, account: AwsAccount, other_account: AwsAccount
) -> None:
    page = sign_in(viewer).get("/settings/aws-accounts/").content.decode()
    assert "triflow-staging" in page
    assert "onno-staging" not in page
    assert 'aria-current="page">AWS accounts' in page
