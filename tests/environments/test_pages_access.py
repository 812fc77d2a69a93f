"""Every page of this app: who gets it, who learns nothing of it, and which method it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments.models import AwsAccount, Environment
from portal.accounts.models import User

SignIn = Callable[[User], Client]
TENANT = "/tenants/triflow/"
HERE = "/environments/triflow/staging/"
READ = [
    TENANT,
    f"{TENANT}edit/",
    f"{TENANT}people/",
    f"{TENANT}accounts/",
    f"{TENANT}accounts/new/",
    f"{TENANT}accounts/{{account}}/",
    f"{TENANT}environments/new/",
    HERE,
    f"{HERE}edit/",
    f"{HERE}clone/",
    f"{HERE}retire/",
    f"{HERE}activity/",
]
POST_ONLY = [f"{HERE}hold/", f"{HERE}release/"]
READ_ONLY = ["/tenants/", TENANT, f"{TENANT}accounts/", "/settings/aws-accounts/", HERE, f"{HERE}activity/"]
EVERYBODY = ["/tenants/", "/settings/aws-accounts/", "/", "/inbox/", "/search/"]


@pytest.mark.parametrize("path", READ)
def test_members_read_every_page(
    sign_in: SignIn, viewer: User, place: Environment, account: AwsAccount, path: str
) -> None:
    assert sign_in(viewer).get(path.format(account=account.pk)).status_code == 200


@pytest.mark.parametrize("path", [*READ, *POST_ONLY])
def test_people_of_other_tenants_learn_nothing(
    sign_in: SignIn, outsider: User, place: Environment, account: AwsAccount, path: str
) -> None:
    client = sign_in(outsider)
    path = path.format(account=account.pk)
    if path not in POST_ONLY:
        assert client.get(path).status_code == 404
    if path not in READ_ONLY:
        assert client.post(path, {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("path", [*READ, *EVERYBODY, *POST_ONLY, "/tenants/new/"])
def test_strangers_are_sent_to_the_door(
    client: Client, place: Environment, account: AwsAccount, path: str
) -> None:
    path = path.format(account=account.pk)
    ask = client.post if path in POST_ONLY else client.get
    answer = ask(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/sign-in/")


@pytest.mark.parametrize("path", [*READ_ONLY, *EVERYBODY, *POST_ONLY])
def test_the_wrong_method_is_refused(sign_in: SignIn, admin: User, place: Environment, path: str) -> None:
    client = sign_in(admin)
    ask = client.get if path in POST_ONLY else client.post
    assert ask(path).status_code == 405


def test_an_account_is_not_found_under_another_tenant(
    sign_in: SignIn, admin: User, account: AwsAccount, other_account: AwsAccount
) -> None:
    assert sign_in(admin).get(f"{TENANT}accounts/{other_account.pk}/").status_code == 404


@pytest.mark.parametrize("path", EVERYBODY)
def test_somebody_without_a_role_sees_empty_pages(
    sign_in: SignIn, outsider: User, place: Environment, path: str
) -> None:
    outsider.memberships.all().delete()
    answer = sign_in(outsider).get(path)
    assert answer.status_code == 200
    assert b"TriFlow" not in answer.content
