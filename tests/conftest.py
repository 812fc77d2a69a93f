"""What every test gets."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Throttles count in the cache: one test's requests must not slow another's."""
    from django.core.cache import cache

    yield
    cache.clear()
