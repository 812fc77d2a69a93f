"""Completed is not proven: the next service waits until every task of the one before carries what was approved."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes.lifecycle import Status
from environments.deployments.models import Step
from environments.deployments.proving import proof
from environments.deployments.proving.proof import Proof
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.test_interrupted import work_until
from tests.environments.deployments.scene import Scene, told


def test_the_next_service_waits_for_the_proof_of_the_one_before(
    scene: Scene, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scene.environment(tenant, desired=1)
    change = approved(place)
    asked = []

    def not_yet(*given: Any) -> Proof:
        asked.append(given)
        return Proof(None, "not all of them run yet")

    with monkeypatch.context() as patched:
        patched.setattr(proof, "proven", not_yet)
        change = work_until(change, lambda: len(asked) == 3)
        assert (part_of(change, 0).step, part_of(change, 1).step) == (Step.PROVING, Step.REGISTERING)
        assert part_of(change, 1).intended_at is None
    change = scene.drive(change)
    assert change.status == Status.SUCCEEDED, told(change)
