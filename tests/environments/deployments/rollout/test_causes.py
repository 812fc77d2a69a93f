"""What goes wrong in the tasks: ECS goes back by itself, the change is failed, and says why in words."""

from __future__ import annotations

import pytest

from environments.changes.lifecycle import Status
from environments.deployments.models import Outcome
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.scene import Scene

CAUSES = [
    ("oom", {"oom"}, "Out of memory"),
    ("never-healthy", {"health-elb", "health-container"}, "unhealthy"),
]


@pytest.mark.parametrize(("tag", "keys", "words"), CAUSES)
def test_it_goes_back_and_says_why(
    scene: Scene, tenant: Tenant, tag: str, keys: set[str], words: str
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    change = scene.drive(approved(place, tag))
    service = place.services["api"]
    # After ECS's own rollback all tasks are healthy and nothing is "stable" of what was approved.
    assert change.status == Status.FAILED
    assert part_of(change).outcome == Outcome.ROLLED_BACK
    for text in (service.name, words, "as before"):
        assert text in change.error_message
    assert change.error_hint
    stopped = list(part_of(change).stopped_tasks.all())
    assert stopped
    assert {row.diagnosis for row in stopped} & keys
    assert any(row.log_tail for row in stopped)
    assert place.described("api")["taskDefinition"] == service.task_definition_arn
