"""Rolling deployments through the real calls: what ECS was told, how often, and what is written down."""

from __future__ import annotations

from environments.changes.lifecycle import Status
from environments.deployments.models import Outcome, Step
from environments.models import Tenant
from portal.aws import ecs
from portal.aws.task_definitions import registrable
from tests.environments.deployments.rollout.approved import approved, part_of
from tests.environments.deployments.rollout.conftest import Asked
from tests.environments.deployments.scene import Scene, told


def test_an_image_comes_to_run_and_is_proven(scene: Scene, tenant: Tenant, asked: Asked) -> None:
    place = scene.environment(tenant, services=("api",))
    service = place.services["api"]
    before = place.described("api")
    change = scene.drive(approved(place))
    assert change.status == Status.SUCCEEDED, told(change)
    part = part_of(change)
    assert (part.step, part.outcome, part.tag) == (Step.DONE, Outcome.SUCCEEDED, "v2")
    assert (part.previous_arn, part.previous_digest) == (service.task_definition_arn, service.digests["v1"])
    assert {task["containers"][0]["imageDigest"] for task in place.tasks("api")} == {service.digests["v2"]}
    # Told once, without a count of tasks, with what lets ECS go back by itself; percentages as they were.
    (update,) = asked.of("update_service")
    assert "desiredCount" not in update
    assert update["taskDefinition"] == part.registered_arn
    configuration = update["deploymentConfiguration"]
    assert configuration["strategy"] == "ROLLING"
    assert configuration["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert configuration["alarms"] == {"alarmNames": sorted(service.alarms), "enable": True, "rollback": True}
    for name in ("maximumPercent", "minimumHealthyPercent"):
        assert configuration[name] == before["deploymentConfiguration"][name]
    # The last look shows what runs: nothing of the old is left in it.
    shown = part.progress
    assert (shown["rollout"], shown["new"]["running"], shown["breaker"]["enabled"]) == ("SUCCESSFUL", 2, True)
    assert {task["digest"] for task in shown["tasks"] if task["new"]} == {service.digests["v2"]}
    assert shown["target_counts"].get("healthy", 0) >= 2
    assert any(target["new"] for target in shown["targets"])
    assert part.events.exists()
    assert not part.stopped_tasks.exists(), "old tasks that ECS replaced are no evidence"


def test_an_equal_revision_is_reused(scene: Scene, tenant: Tenant, asked: Asked) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    made = registrable(ecs.describe_task_definition(place.access, place.services["api"].task_definition_arn))
    (container,) = made["containerDefinitions"]
    container["environment"] = [{"name": "LEVEL", "value": ""}, {"name": "MODE", "value": "one"}]
    first = ecs.register(place.access, made)
    assert ecs.find_equal_revision(place.access, made) == first
    # The order of variables means nothing; another value does, and so does one that is empty.
    turned = {**container, "environment": list(reversed(container["environment"]))}
    assert ecs.find_equal_revision(place.access, {**made, "containerDefinitions": [turned]}) == first
    for environment in ([{"name": "LEVEL", "value": ""}], [{"name": "MODE", "value": "one"}]):
        other = {**container, "environment": environment}
        assert ecs.find_equal_revision(place.access, {**made, "containerDefinitions": [other]}) == ""


def test_services_follow_in_order_and_the_second_takes_back_the_first(scene: Scene, tenant: Tenant) -> None:
    place = scene.environment(tenant, desired=1)
    change = scene.drive(approved(place, images={"ws": "cannot-pull"}))
    assert change.status == Status.FAILED
    api, ws = part_of(change, 0), part_of(change, 1)
    # The second began when the first was proven.
    assert api.finished_at is not None
    assert ws.intended_at is not None
    assert api.finished_at <= ws.intended_at
    assert [api.outcome, ws.outcome] == [Outcome.ROLLED_BACK] * 2
    for key in ("api", "ws"):
        assert place.described(key)["taskDefinition"] == place.services[key].task_definition_arn
        assert f"{place.services[key].name} runs" in change.error_message
    assert "The image does not exist" in change.error_message
    assert {row.diagnosis for row in ws.stopped_tasks.all()} == {"pull-not-found"}
