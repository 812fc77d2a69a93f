from collections.abc import Iterator

import pytest

from portal.aws.sessions import AccountAccess, forget_clients
from portal.sandbox.testing import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_clients_of_other_tests() -> Iterator[None]:
    forget_clients()
    yield
    forget_clients()


@pytest.fixture
def access(sandbox: RunningSandbox) -> AccountAccess:
    return AccountAccess(
        kind="sandbox",
        account_id="333333333333",
        role_arn="arn:aws:iam::333333333333:role/gatehouse",
        external_id="onno-7",
        region="ap-northeast-2",
        endpoint_url=sandbox.url,
    )
