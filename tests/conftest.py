"""What every test gets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database_flush import flushing_past_the_audit_triggers


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_audit_triggers() -> Iterator[None]:
    with flushing_past_the_audit_triggers():
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Throttles count in the cache: one test's requests must not slow another's."""
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _own_checkpoints(settings, tmp_path: Path) -> None:
    """Each test begins with an empty database: another's signed heads would call that a cut-off log."""
    settings.AUDIT_CHECKPOINT_DIR = tmp_path / "audit-checkpoints"
