"""The cast, and environments to look at."""

from __future__ import annotations

import pytest

from environments.models import AwsAccount, Environment, Tenant
from tests.cast import *  # noqa: F403


@pytest.fixture
def account(tenant: Tenant) -> AwsAccount:
    return AwsAccount.objects.create(tenant=tenant, name="triflow-staging", account_id="210000000001")


@pytest.fixture
def other_account(other_tenant: Tenant) -> AwsAccount:
    return AwsAccount.objects.create(tenant=other_tenant, name="onno-staging", account_id="220000000001")


@pytest.fixture
def place(tenant: Tenant, account: AwsAccount) -> Environment:
    """TriFlow AI's staging, described only."""
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging", account=account
    )
