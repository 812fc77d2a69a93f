"""From the request to its end, through real API calls to the sandbox: what came out as approved, and how it is told."""

from __future__ import annotations

import time
from typing import Any

from environments.changes import execution
from environments.changes.abilities import abilities
from environments.changes.models import Change, Claim
from environments.deployments.models import CheckResult, Deployment
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from portal.audit.models import AuditEvent
from portal.notifications.models import Message
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Place, Scene, fresh


def approved(scene: Scene, change: Change, approver: User) -> Change:
    scene.drive(change, "awaiting_approval")
    return scene.approve(change, approver)


def running(place: Place, key: str) -> set[str]:
    """Tags whose digests the service's tasks carry now."""
    names = {digest: tag for tag, digest in place.services[key].digests.items() if tag != "latest"}
    return {names[task["containers"][0]["imageDigest"]] for task in place.tasks(key)}


def outcomes(change: Change) -> list[str]:
    return list(change.deployment.parts.values_list("outcome", flat=True))


def until_stage(change: Change, stage: str) -> None:
    """Look at the rollout until ECS is at this stage of it."""
    deadline = time.monotonic() + 30
    while change.deployment.parts.get().progress.get("stage") != stage:
        assert time.monotonic() < deadline, change.deployment.parts.get().progress
        Change.objects.filter(pk=change.pk, lease_until=None).update(look_at=None)
        if not execution.advance(str(change.uuid), by=worker("test worker")):
            time.sleep(0.02)


def told(change: Change, event: str) -> str:
    """The text that went to the requester about this event."""
    rows = Message.objects.filter(dedupe_key__contains=f"{change.uuid}:", dedupe_key__icontains=event)
    return "\n".join(row.text for row in rows)


def test_what_is_approved_runs_and_has_passed_its_checks_and_its_bake(
    scene: Scene, tenant: Tenant, operator: User, approver: User, settings: Any
) -> None:
    settings.DEPLOYMENT_ALARM_SECONDS = 0.2
    task = {"name": "extension exists", "command": ["true"]}
    checks = [{"name": "health", "url": "https://app.example.com/health"}, task]
    place = scene.environment(tenant, services=("api",), checks=checks)
    change = approved(scene, deploy(place, operator, "v2", bake_seconds=1), approver)
    baking = scene.drive(change, "verifying")
    assert not Claim.objects.active().filter(change=change).exists()
    ended = scene.drive(baking)
    assert ended.status == "succeeded", ended.error_message
    assert running(place, "api") == {"v2"}
    assert outcomes(ended) == ["succeeded"]
    results = CheckResult.objects.filter(part__deployment__change=change)
    assert {(row.name, row.ok) for row in results} == {("health", True), ("extension exists", True)}
    assert results.filter(name="health")[0].detail.startswith("Simulated")
    note = ended.transitions.order_by("-pk")[0].note
    assert "carry the approved digest" in note
    assert "2 checks passed" in note and "simulated" in note
    assert f"{place.services['api'].alarms[0]} stayed quiet" in note
    acts = list(AuditEvent.objects.filter(target_id=change.uuid).values_list("action", flat=True))
    assert {"change.request", "change.approve", "change.executing", "change.succeeded"} <= set(acts)


def test_an_alarm_in_the_bake_takes_it_back(
    scene: Scene, tenant: Tenant, operator: User, approver: User, settings: Any, sign_in: Any
) -> None:
    settings.DEPLOYMENT_ALARM_SECONDS = 0.2
    place = scene.environment(tenant, services=("api",), desired=1)
    alarm = place.services["api"].alarms[0]
    change = approved(scene, deploy(place, operator, "v2", bake_seconds=60), approver)
    scene.drive(change, "verifying")
    page = sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()
    assert f"/deployments/rollback/?change={change.uuid}" in page
    place.client("cloudwatch").set_alarm_state(
        AlarmName=alarm, StateValue="ALARM", StateReason="too many 5xx"
    )
    ended = scene.drive(change)
    assert ended.status == "regressed"
    assert alarm in ended.error_message and "too many 5xx" in ended.error_message
    assert outcomes(ended) == ["rolled_back"]
    assert running(place, "api") == {"v1"}
    assert not Claim.objects.active().filter(change=change).exists()
    assert "as before" in told(ended, "regressed")


def test_what_is_stopped_midway_goes_back(
    scene: Scene, tenant: Tenant, operator: User, approver: User, admin: User, sign_in: Any
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    asked = deploy(place, operator, "v2", strategy="blue_green", bake_seconds=3600)
    change = approved(scene, asked, approver)
    # Both versions run, and ECS bakes: all traffic is on the new one.
    until_stage(change, "BAKE_TIME")
    client = sign_in(operator)
    page = client.get(f"/changes/{change.uuid}/").content.decode()
    assert "Stop and roll back" in page and "Kill Terraform" not in page
    ask = client.get(f"/changes/{change.uuid}/act/cancel/").content.decode()
    assert "Terraform" not in ask and "brings back what each service ran before" in ask
    client.post(f"/changes/{change.uuid}/act/cancel/", {"comment": "wrong image"})
    # There is no tool whose end could be hurried.
    for person in (operator, admin):
        assert not abilities(fresh(change), person)["can_kill"].allowed
    assert "There is no tool to kill" in abilities(fresh(change), admin)["can_kill"].reason
    ended = scene.drive(change)
    assert ended.status == "cancelled"
    assert outcomes(ended) == ["rolled_back"]
    assert running(place, "api") == {"v1"}


def test_a_migration_that_fails_leaves_the_service_alone(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    before = place.described("api")["deployments"][0]["id"]
    task = {"name": "migrate", "command": ["false"]}
    ended = scene.drive(approved(scene, deploy(place, operator, "v2", before_task=task), approver))
    assert ended.status == "failed"
    assert outcomes(ended) == ["untouched"]
    assert f"{place.services['api'].name} runs" in told(ended, "failed") and "as before" in told(
        ended, "failed"
    )
    assert place.described("api")["deployments"][0]["id"] == before


def test_somebody_else_deploying_during_the_bake_ends_it_and_is_left_alone(
    scene: Scene, tenant: Tenant, operator: User, approver: User
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    api = place.services["api"]
    change = approved(scene, deploy(place, operator, "v2", bake_seconds=60), approver)
    scene.drive(change, "verifying")
    place.client("ecs").update_service(
        cluster=place.built.cluster_arn, service=api.name, taskDefinition=api.task_definition_arn
    )
    ended = scene.drive(change)
    assert ended.status == "regressed"
    assert "No change of this portal did it" in ended.error_message
    assert outcomes(ended) == ["failed"]
    assert place.described("api")["taskDefinition"] == api.task_definition_arn
    assert not Deployment.objects.filter(change=change).exclude(parts__going_back_at=None).exists()
