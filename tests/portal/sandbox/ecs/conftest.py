"""A sandbox whose tasks start within half a second, and an account in it that has all that services need."""

from collections.abc import Iterator
from itertools import count

import pytest

from portal.sandbox.testing import RunningSandbox, running_sandbox
from tests.portal.sandbox.ecs.site import Site, control

_ACCOUNTS = count(440_000_000_000)


@pytest.fixture(scope="package")
def brisk() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        pace = {"seconds": 0.06, "minute": 0.12}
        assert control(running, "/sandbox/ecs/pace", **pace) == pace
        yield running


@pytest.fixture(scope="package")
def site(brisk: RunningSandbox) -> Site:
    """Shared; each test has services of its own in it."""
    return Site(brisk, str(next(_ACCOUNTS))).build()


@pytest.fixture
def own_site(brisk: RunningSandbox) -> Site:
    """An account for one test alone."""
    return Site(brisk, str(next(_ACCOUNTS))).build()
