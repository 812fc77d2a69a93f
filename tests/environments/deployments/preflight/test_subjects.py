"""Each subject of a preflight: fine, not fine, and not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from environments.deployments import preflight
from environments.deployments.declarations import BlueGreen, Declaration
from environments.deployments.services import Service
from portal.aws.alarms import AlarmState
from portal.aws.secrets import Secret
from tests.environments.deployments.preflight.conftest import (
    ACCESS,
    DIGEST,
    PRESENT,
    REGISTRY,
    ROLE,
    Findings,
    denied,
    image,
    states,
)

SECRET = "arn:aws:secretsmanager:ap-northeast-2:333333333333:secret:db-AbCdEf"
RULE, BLUE, GREEN = "arn:rule", "arn:blue", "arn:green"
SHIFT = BlueGreen(BLUE, GREEN, RULE, "arn:aws:iam::333333333333:role/infrastructure")


def definition(**more: Any) -> dict[str, Any]:
    container = {
        "name": "api",
        "image": f"{REGISTRY}/triflow-api@{DIGEST}",
        "secrets": [{"name": "DB", "valueFrom": f"{SECRET}:password::"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/api"}},
    } | more.pop("container", {})
    return {
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [container],
    } | more


def service_row(**more: Any) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "desiredCount": 2,
        "launchType": "FARGATE",
        "deployments": [{"id": "ecs-svc/1", "rolloutState": "COMPLETED"}],
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"]}},
    } | more


def declaration(**more: Any) -> Declaration:
    fields: dict[str, Any] = {"container": "api", "repository": "triflow-api", "alarms": ("5xx",)} | more
    return Declaration(key="api", service_arn="arn:api", **fields)


def secret(**more: Any) -> Secret:
    return Secret(**{"arn": SECRET, "versions": {"1": ("AWSCURRENT",)}, "deleted": False, "key": ""} | more)


def allowed(role: str, actions: Any, resources: Any) -> dict[tuple[str, str], str]:
    return {(action, resource): "allowed" for action in actions for resource in resources}


def alarm(state: str) -> dict[str, AlarmState]:
    return {"5xx": AlarmState("5xx", state, "", None)}


WELL: dict[str, Any] = {
    "image": lambda *args: image(),
    "condemned": {},
    "repository_has_policy": False,
    "trusted_services": lambda role: {"ecs.amazonaws.com", "ecs-tasks.amazonaws.com"},
    "decisions": allowed,
    "secret": lambda wanted: secret(),
    "secret_has_policy": False,
    "parameters": {},
    "log_group": True,
    "free_addresses": {"subnet-a": 100, "subnet-b": 100},
    "alarms": alarm("OK"),
    "listener_rules": {RULE: {BLUE}},
    "target_groups": {BLUE, GREEN},
}
See = Callable[..., Findings]


@pytest.fixture
def see(lay) -> See:
    """The findings for one target, with these reads and fields instead of those where all is well."""

    def seen(
        reads: dict[str, Any] | None = None, declared: dict[str, Any] | None = None, **fields: Any
    ) -> Findings:
        lay(**WELL | (reads or {}))
        service = Service("module.a", "arn:api", "api", "arn:cluster", declaration(**declared or {}))
        target: dict[str, Any] = {
            "running_service": service_row(),
            "running_definition": definition(),
            "rendered": definition(),
            "image": image(),
            "present_digest": PRESENT,
            "act": "deploy",
        }
        rows = preflight.run(ACCESS, None, [preflight.Target(service, **target | fields)])[0]  # type: ignore[arg-type]
        assert len({row["key"] for row in rows}) == len(rows)
        return {row["key"]: row for row in rows}

    return seen


def test_nothing_is_wrong(see):
    found = see()
    assert set(states(found).values()) == {"ok"}, found
    assert "the portal reads no values" in found["secrets"]["text"]


@pytest.mark.parametrize(
    ("read", "action", "keys"),
    (
        ("decisions", "iam:SimulatePrincipalPolicy", {"rights", "secrets_unread"}),
        ("trusted_services", "iam:GetRole", {"rights"}),
        ("secret", "secretsmanager:DescribeSecret", {"secrets"}),
        ("log_group", "logs:DescribeLogGroups", {"logs"}),
        ("free_addresses", "ec2:DescribeSubnets", {"addresses"}),
        ("alarms", "cloudwatch:DescribeAlarms", {"alarms"}),
        ("condemned", "ecr:GetLifecyclePolicy", {"lifecycle"}),
    ),
)
def test_what_may_not_be_read_is_unknown_and_the_rest_is_still_told(see, read, action, keys):
    found = see({read: denied(action)})
    unknown = {key for key, state in states(found).items() if state == "unknown"}
    assert keys <= unknown
    assert all(action in found[key]["text"] for key in keys)
    assert not {key for key, state in states(found).items() if state in ("failing", "warning")}
    assert states(found)["rollout"] == "ok"


def test_a_strategy_that_cannot_be_looked_up_is_unknown(see):
    declared = {"blue_green": SHIFT, "strategies": ("rolling", "blue_green")}
    found = see(
        {"listener_rules": denied("elasticloadbalancing:DescribeRules")}, declared, strategy="blue_green"
    )
    assert found["strategy"]["state"] == "unknown"


# --- image -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runtime", "made_for", "state"),
    (
        ({}, ("linux/amd64",), "ok"),
        ({"cpuArchitecture": "ARM64"}, ("linux/arm64/v8",), "ok"),
        ({"cpuArchitecture": "ARM64"}, ("linux/amd64",), "failing"),
        ({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, ("windows/amd64",), "ok"),
        ({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, ("linux/amd64",), "failing"),
        ({}, ("linux/arm64", "linux/amd64"), "ok"),
        ({}, (), "unknown"),
    ),
)
def test_platform(see, runtime, made_for, state):
    found = see(rendered=definition(runtimePlatform=runtime), image=image(platforms=made_for))
    assert found["platform"]["state"] == state


def test_an_image_that_stays_is_looked_for(see):
    assert see(image=None, rendered={}, act="restart")["image"]["state"] == "ok"
    found = see(image=None, rendered={}, act="restart", present_digest="")
    assert found["image"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("scan", "state"),
    (
        ({}, "ok"),
        ({"LOW": 9}, "ok"),
        ({"HIGH": 1}, "warning"),
        ({"CRITICAL": 2}, "warning"),
        (None, "unknown"),
    ),
)
def test_scan(see, scan, state):
    assert see(image=image(scan=scan))["scan"]["state"] == state


def test_lifecycle_of_both_images(see):
    found = see({"condemned": {DIGEST: "rule 1 deletes it."}})
    assert states(found)["lifecycle"] == "warning"
    assert "lifecycle_present" not in found
    found = see({"condemned": {PRESENT: "rule 1 deletes it."}})
    assert states(found)["lifecycle_present"] == "warning"
    assert "lifecycle" not in found


# --- rights ----------------------------------------------------------------------------------------


def refused(word: str, refused_action: str) -> Callable[..., dict[tuple[str, str], str]]:
    def decide(role: str, actions: Any, resources: Any) -> dict[tuple[str, str], str]:
        return allowed(role, actions, resources) | {
            (action, resource): word
            for action in actions
            for resource in resources
            if action == refused_action
        }

    return decide


@pytest.mark.parametrize(
    ("action", "word", "policy_there", "key", "state"),
    (
        ("ecr:BatchGetImage", "implicitDeny", False, "pull", "failing"),
        # A policy on the repository may allow what the role's own do not, but takes no prohibition back.
        ("ecr:BatchGetImage", "implicitDeny", True, "pull", "unknown"),
        ("ecr:BatchGetImage", "explicitDeny", True, "pull", "failing"),
        ("ecr:BatchGetImage", "unjudged", False, "pull", "unknown"),
        ("ecr:GetAuthorizationToken", "implicitDeny", True, "pull", "failing"),
        ("logs:PutLogEvents", "implicitDeny", False, "write_logs", "failing"),
        ("secretsmanager:GetSecretValue", "implicitDeny", False, "read_secrets", "failing"),
        ("secretsmanager:GetSecretValue", "implicitDeny", True, "read_secrets", "unknown"),
    ),
)
def test_rights(see, action, word, policy_there, key, state):
    reads = {"decisions": refused(word, action)}
    found = see(reads | {"repository_has_policy": policy_there, "secret_has_policy": policy_there})
    assert found[key]["state"] == state
    assert action in found[key]["text"]
    others = {"pull", "write_logs", "read_secrets"} - {key}
    assert {found[one]["state"] for one in others} == {"ok"}


def test_a_key_of_one_s_own_is_never_certain(see):
    reads = {
        "secret": lambda wanted: secret(key="arn:aws:kms:ap-northeast-2:333333333333:key/1"),
        "decisions": refused("implicitDeny", "kms:Decrypt"),
    }
    found = see(reads)
    assert found["read_secrets"]["state"] == "unknown"
    assert "kms:Decrypt" in found["read_secrets"]["text"]


def test_the_execution_role_itself(see):
    assert see(rendered=definition(executionRoleArn=""))["role"]["state"] == "failing"
    assert "does not exist" in see({"trusted_services": lambda role: None})["role"]["text"]
    assert "may not assume" in see({"trusted_services": lambda role: {"ec2.amazonaws.com"}})["role"]["text"]


# --- secrets and logs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value_from", "there", "words"),
    (
        (f"{SECRET}:password::", None, "there is no secret db-AbCdEf"),
        (SECRET, secret(deleted=True), "about to be deleted"),
        (SECRET, secret(versions={"1": ("AWSPENDING",)}), "no value with the stage AWSCURRENT"),
        (f"{SECRET}::AWSPREVIOUS:", secret(), "no value with the stage AWSPREVIOUS"),
        (f"{SECRET}:::7", secret(), "has no version 7"),
        (f"{SECRET}:::1", secret(), ""),
        (f"{SECRET}::AWSCURRENT:", secret(), ""),
    ),
)
def test_secrets(see, value_from, there, words):
    container = {"secrets": [{"name": "DB", "valueFrom": value_from}]}
    found = see({"secret": lambda wanted: there}, rendered=definition(container=container))
    assert found["secrets"]["state"] == ("failing" if words else "ok")
    assert words in found["secrets"]["text"]


def test_parameters_and_every_other_place_of_a_secret(see):
    arn = "arn:aws:ssm:ap-northeast-2:333333333333:parameter/app/key"
    options = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/api"}}
    container = {
        "secrets": [{"name": "KEY", "valueFrom": arn}],
        "logConfiguration": {**options, "secretOptions": [{"name": "token", "valueFrom": "plain"}]},
        "repositoryCredentials": {"credentialsParameter": SECRET},
    }
    made = definition(container=container)
    found = see({"parameters": {"/app/key": 1}}, rendered=made)
    assert "there is no parameter plain" in found["secrets"]["text"]
    found = see({"parameters": {"/app/key": 1, "plain": 2}}, rendered=made)
    assert "All 3 secrets" in found["secrets"]["text"]


def test_log_groups(see):
    assert see({"log_group": False})["logs"]["state"] == "failing"
    options = {"awslogs-group": "/ecs/api", "awslogs-create-group": "true"}
    container = {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    assert see({"log_group": False}, rendered=definition(container=container))["logs"]["state"] == "ok"
    container = {"logConfiguration": {"logDriver": "awsfirelens", "options": {}}}
    assert "logs" not in see({"log_group": False}, rendered=definition(container=container))


# --- room ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "fields", "state"),
    (
        ((1, 1), {}, "ok"),
        ((2, 0), {}, "warning"),
        # A rolling deployment goes on as long as one new task fits.
        ((1, 0), {}, "warning"),
        ((0, 0), {}, "failing"),
        ((0, 0), {"minimumHealthyPercent": 50}, "warning"),
        ((1, 0), {"strategy": "blue_green"}, "failing"),
        ((0, 1), {"act": "scale", "desired": 4}, "failing"),
        ((1, 1), {"act": "scale", "desired": 4}, "ok"),
    ),
)
def test_addresses(see, free, fields, state):
    given = dict(fields)
    configuration = {"maximumPercent": 200, "minimumHealthyPercent": given.pop("minimumHealthyPercent", 100)}
    row = service_row(deploymentConfiguration=configuration)
    reads = {"free_addresses": dict(zip(("subnet-a", "subnet-b"), free, strict=True))}
    declared = {"blue_green": SHIFT, "strategies": ("rolling", "blue_green")}
    assert see(reads, declared, running_service=row, **given)["addresses"]["state"] == state


def test_a_subnet_that_is_gone(see):
    assert "There is no subnet subnet-b" in see({"free_addresses": {"subnet-a": 9}})["addresses"]["text"]


def test_no_more_tasks_than_there_are_need_no_address(see):
    row = service_row(deploymentConfiguration={"maximumPercent": 100})
    assert "addresses" not in see({"free_addresses": {}}, running_service=row)


@pytest.mark.parametrize(
    ("cpu", "memory", "container", "state"),
    (
        ("256", "512", {}, "ok"),
        ("256", "4096", {}, "failing"),
        ("300", "512", {}, "failing"),
        ("", "512", {}, "failing"),
        ("1024", "2048", {"cpu": 1024, "memory": 2048}, "ok"),
        ("256", "512", {"cpu": 512}, "failing"),
        ("256", "512", {"memory": 1024}, "failing"),
        ("256", "512", {"memoryReservation": 1024}, "failing"),
    ),
)
def test_size(see, cpu, memory, container, state):
    assert see(rendered=definition(cpu=cpu, memory=memory, container=container))["size"]["state"] == state


# --- the service -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "state"),
    (
        (service_row(status="DRAINING"), "failing"),
        (service_row(deploymentController={"type": "CODE_DEPLOY"}), "failing"),
        (service_row(deployments=[{"id": "1", "rolloutState": "IN_PROGRESS"}]), "warning"),
        (service_row(deployments=[{"id": "1"}, {"id": "2"}]), "warning"),
        ({}, "unknown"),
    ),
)
def test_rollout(see, row, state):
    assert see(running_service=row)["rollout"]["state"] == state


@pytest.mark.parametrize(
    ("reads", "declared", "key", "state"),
    (
        ({"alarms": alarm("ALARM")}, {}, "alarms", "warning"),
        ({"alarms": {}}, {}, "alarms_missing", "warning"),
        ({"alarms": alarm("INSUFFICIENT_DATA")}, {}, "alarms_silent", "unknown"),
        ({}, {"alarms": ()}, "alarms", "unknown"),
    ),
)
def test_alarms(see, reads, declared, key, state):
    assert see(reads, declared)[key]["state"] == state


@pytest.mark.parametrize(
    ("reads", "words"),
    (
        ({"listener_rules": {}}, "there is no listener rule arn:rule"),
        ({"target_groups": {BLUE}}, "there is no target group arn:green"),
        ({"listener_rules": {RULE: {"arn:other"}}}, "forwards to neither"),
        ({"trusted_services": lambda role: None if "infra" in role else {"*"}}, "there is no role"),
        ({"trusted_services": lambda role: {"ecs-tasks.amazonaws.com"}}, "may not assume the role"),
    ),
)
def test_strategy(see, reads, words):
    declared = {"blue_green": SHIFT, "strategies": ("rolling", "blue_green")}
    assert see(None, declared, strategy="blue_green")["strategy"]["state"] == "ok"
    found = see(reads, declared, strategy="blue_green")
    assert found["strategy"]["state"] == "failing"
    assert words in found["strategy"]["text"]


def test_a_strategy_that_the_blueprint_does_not_offer(see):
    assert "does not offer linear" in see(strategy="linear")["strategy"]["text"]
