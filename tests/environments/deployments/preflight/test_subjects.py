"""Each subject of a preflight: fine, not fine, and not known."""

from __future__ import annotations

import pytest

from tests.environments.deployments.preflight.conftest import states
from tests.environments.deployments.preflight.crafted import (
    BLUE,
    DIGEST,
    PRESENT,
    REGISTRY,
    RULE,
    SHIFT,
    alarm,
    definition,
    denied,
    image,
    service_row,
)


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


def test_a_way_back_that_is_gone_already(see):
    found = see({"holds": False})
    assert found["way_back"]["state"] == "warning"
    assert "triflow-api any more" in found["way_back"]["text"]
    # The same image again needs no other way back.
    assert "way_back" not in see({"holds": False}, present_digest=DIGEST)


def test_the_way_back_is_looked_for_where_it_came_from(see):
    asked: list[str] = []

    def holds(repository, digest):
        asked.append(repository)
        return True

    running = definition(container={"image": f"{REGISTRY}/an-earlier-one@{PRESENT}"})
    see({"holds": holds}, running_definition=running)
    assert asked == ["an-earlier-one"]


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
