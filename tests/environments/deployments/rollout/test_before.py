"""The one-off task before the first service: with its log; a failure stops everything before anything was touched."""

from __future__ import annotations

from environments.changes.lifecycle import Status
from environments.changes.log import read
from environments.deployments.models import OneOffTask, Outcome
from environments.models import Tenant
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, told


def test_it_runs_in_the_new_image_before_the_first_service(
    scene: Scene, tenant: Tenant, asked: Asked
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    migrate = {"service": "api", "name": "migrate", "container": "api", "command": ["migrate", "up"]}
    change = scene.drive(approved(place, before_task=migrate))
    assert change.status == Status.SUCCEEDED, told(change)
    (run,) = asked.of("run_task")
    assert run["taskDefinition"] == part_of(change).registered_arn
    assert run["networkConfiguration"] == place.described("api")["networkConfiguration"]
    assert run["overrides"]["containerOverrides"] == [{"name": "api", "command": ["migrate", "up"]}]
    operations = [name for name, _parameters in asked]
    assert operations.index("run_task") < operations.index("update_service")
    row = OneOffTask.objects.get(part=part_of(change))
    assert row.exit_code == 0
    assert row.log_tail
    log = read(change, after=0).text
    for line in row.log_tail.splitlines():
        assert log.count(f"  migrate | {line}\n") == row.log_tail.splitlines().count(line)


def test_its_failure_stops_it_before_anything_was_touched(scene: Scene, tenant: Tenant, asked: Asked) -> None:
    place = scene.environment(tenant, desired=1)
    migrate = {"service": "ws", "name": "migrate", "container": "ws", "command": ["migrate; exit 3"]}
    change = scene.drive(approved(place, before_task=migrate))
    assert change.status == Status.FAILED
    assert "“migrate” before the deployment ended with exit code 3" in change.error_message
    assert "it was not touched" in change.error_message
    assert not asked.of("update_service")
    assert [part_of(change, n).outcome for n in (0, 1)] == [Outcome.UNTOUCHED] * 2
