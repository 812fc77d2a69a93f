"""A preflight over real calls: all is well, then one thing after the other is not."""

from __future__ import annotations

import json

from environments.deployments import preflight
from environments.deployments.asked.images import resolve
from environments.deployments.services import service_of
from environments.models import Tenant
from tests.environments.deployments.preflight.conftest import looked, states, target_of
from tests.environments.deployments.scene import Scene

WELL = {
    "rollout": "ok",
    "image": "ok",
    "platform": "ok",
    "scan": "ok",
    "lifecycle": "ok",
    "pull": "ok",
    "write_logs": "ok",
    "secrets": "ok",
    "read_secrets": "ok",
    "logs": "ok",
    "size": "ok",
    "addresses": "ok",
    "strategy": "ok",
    "alarms": "ok",
}


def test_all_is_well_and_what_services_share_is_asked_for_once(
    scene: Scene, tenant: Tenant, monkeypatch
) -> None:
    place = scene.environment(tenant)
    targets = [target_of(place, key, strategy="blue_green") for key in ("api", "ws")]
    asked: list[str] = []
    from portal.aws import sessions

    before = sessions._Clients.get

    def counted(self, access, service):
        client = before(self, access, service)
        if not hasattr(client, "_counted"):
            client._counted = True
            client.meta.events.register("before-call.*.*", lambda model, **_kw: asked.append(model.name))
        return client

    monkeypatch.setattr(sessions._Clients, "get", counted)
    first, second = looked(place, *targets)
    assert states(first) == WELL, first
    assert states(second) == WELL, second
    for shared in ("DescribeSubnets", "DescribeAlarms"):
        assert asked.count(shared) == 1, asked


def test_what_is_proven_wrong_fails(scene: Scene, tenant: Tenant) -> None:
    place = scene.environment(tenant, services=("api",))
    api, client = place.services["api"], place.client
    target = target_of(place, "api", "arm64-only", strategy="blue_green")
    client("logs").delete_log_group(logGroupName=api.log_group)
    client("secretsmanager").delete_secret(SecretId=api.secret_arn, ForceDeleteWithoutRecovery=True)
    role = place.built.execution_role_arn.rpartition("/")[2]
    attached = client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"]
    client("iam").detach_role_policy(RoleName=role, PolicyArn=attached)
    client("elbv2").delete_rule(RuleArn=api.listener_rule_arn)
    client("cloudwatch").set_alarm_state(AlarmName=api.alarms[0], StateValue="ALARM", StateReason="test")
    policy = {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
    client("ecr").put_lifecycle_policy(repositoryName=api.repository, lifecyclePolicyText=json.dumps(policy))
    (found,) = looked(place, target)
    failing = {key for key, state in states(found).items() if state == preflight.FAILING}
    assert failing == {"platform", "pull", "write_logs", "secrets", "logs", "strategy"}, found
    assert "made for linux/arm64; the tasks run on linux/amd64" in found["platform"]["text"]
    assert "ecr:BatchGetImage" in found["pull"]["text"]
    assert "ecr:GetAuthorizationToken" in found["pull"]["text"]
    assert api.log_group in found["logs"]["text"]
    assert api.listener_rule_arn in found["strategy"]["text"]
    warned = {key for key, state in states(found).items() if state == preflight.WARNING}
    assert warned == {"alarms", "lifecycle", "lifecycle_present"}, found
    assert api.alarms[0] in found["alarms"]["text"]
    assert all(found[key]["hint"] for key in failing | warned)


def test_a_restart_whose_image_is_gone_cannot_work_but_fewer_tasks_can(scene: Scene, tenant: Tenant) -> None:
    place = scene.environment(tenant, services=("api",))
    stays = {"image": None, "rendered": {}}
    present = place.services["api"].digests["v1"]
    restart = target_of(place, "api", act="restart", **stays)
    fewer = target_of(place, "api", act="scale", desired=1, **stays)
    more = target_of(place, "api", act="scale", desired=3, **stays)
    place.client("ecr").batch_delete_image(
        repositoryName=place.services["api"].repository, imageIds=[{"imageDigest": present}]
    )
    first, second, third = looked(place, restart, fewer, more)
    assert states(first)["image"] == preflight.FAILING
    assert "New tasks cannot start" in first["image"]["text"]
    assert set(states(second)) == {"rollout", "alarms"}
    assert states(third)["image"] == preflight.FAILING


def test_what_a_request_means(scene: Scene, tenant: Tenant) -> None:
    place = scene.environment(tenant, services=("api",))
    service, api = service_of(place.environment, "api"), place.services["api"]
    assert service is not None
    by_tag = resolve(place.access, service, "v3")
    assert (by_tag.tag, by_tag.image.digest) == ("v3", api.digests["v3"])
    assert by_tag.image.platforms == ("linux/amd64", "linux/arm64")
    assert by_tag.image.labels["org.opencontainers.image.version"] == "v3"
    assert by_tag.image.reference == api.image("v3")
    for wanted in (api.digests["v3"], api.image("v3"), f"{api.repository_uri}:v3"):
        assert resolve(place.access, service, wanted).image == by_tag.image
    assert resolve(place.access, service, "cannot-pull").image.scan is None
