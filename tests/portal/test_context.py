"""What the frame around every page knows."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from environments.models import AwsAccount, Membership, Role
from environments.registry import registry
from portal.context import frame
from tests.cast import member, person


@pytest.fixture
def asked_by(rf):
    def context(user):
        request = rf.get("/")
        request.user = user
        return frame(request)

    return context


@pytest.fixture
def tenant(db):
    from environments.models import Tenant

    return Tenant.objects.create(slug="triflow", name="TriFlow AI")


def account(tenant, number: int, kind: str) -> AwsAccount:
    return AwsAccount.objects.create(tenant=tenant, name=f"a{number}", account_id=f"{number:012}", kind=kind)


def test_the_inbox_is_counted_once_and_only_when_the_frame_is_drawn(asked_by, tenant, monkeypatch):
    asked = []
    monkeypatch.setattr(registry, "inbox_count", lambda user: asked.append(user) or 7)
    operator = member("operator", tenant, Role.OPERATOR)
    context = asked_by(operator)
    assert asked == []
    assert context["nav_counts"]() == context["nav_counts"]() == {"inbox": 7}
    assert asked == [operator]


def test_strangers_have_no_inbox_and_ask_nothing(asked_by, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        context = asked_by(AnonymousUser())
        assert context["nav_counts"]() == {}
        assert context["sandbox"]() is False


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(["sandbox", "sandbox"], True), (["sandbox", "aws"], False), (["aws"], False), ([], False)],
)
def test_the_ribbon_says_sandbox_when_all_one_sees_is_simulated(asked_by, tenant, kinds, expected):
    for number, kind in enumerate(kinds):
        account(tenant, number, kind)
    assert asked_by(member("operator", tenant, Role.OPERATOR))["sandbox"]() is expected


def test_what_one_may_not_see_does_not_count(asked_by, tenant):
    account(tenant, 1, "sandbox")
    outsider = person("outsider")
    assert asked_by(outsider)["sandbox"]() is False
    Membership.objects.create(user=outsider, tenant=tenant, role=Role.VIEWER)
    assert asked_by(outsider)["sandbox"]() is True
