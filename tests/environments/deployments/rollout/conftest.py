"""What AWS is asked, written down on its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.aws import autoscaling, ecs, logs, target_groups
from tests.environments.deployments.conftest import PACE
from tests.environments.deployments.scene import Scene


class Asked(list[tuple[str, dict[str, Any]]]):
    """(operation, parameters) of every call, in order."""

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self if name == operation]


@pytest.fixture
def short_minutes(scene: Scene) -> Iterator[None]:
    """A minute of bake lasts a tenth of a second; other tests get theirs back."""
    scene.pace(minute=0.1)
    yield
    scene.pace(minute=1.0)


@pytest.fixture
def pace_back(scene: Scene) -> Iterator[None]:
    """Other tests get their pace back."""
    yield
    scene.pace(seconds=float(PACE["SANDBOX_ECS_PACE"]))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """The calls of the portal itself; they go on to the sandbox."""
    found = Asked()
    for module in (ecs, target_groups, logs, autoscaling):
        for name in ("call", "pages"):
            original = getattr(module, name, None)
            if original is not None:
                monkeypatch.setattr(module, name, _noting(original, found))
    yield found


def _noting(original: Any, found: Asked) -> Any:
    def noting(access: Any, service: str, operation: str, /, **parameters: Any) -> Any:
        found.append((operation, parameters))
        return original(access, service, operation, **parameters)

    return noting
