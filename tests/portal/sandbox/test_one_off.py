"""Tasks that RunTask starts in the sandbox: their lives, their ends, and asking twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.sandbox.testing import RunningSandbox
from tests.environments.deployments import building
from tests.environments.deployments.building import Built, Clients

ACCOUNT = "222222222222"


@pytest.fixture(scope="module")
def place(sandbox: RunningSandbox) -> Iterator[tuple[Clients, Built]]:
    building.control(sandbox, "/sandbox/ecs/pace", seconds=0.05)
    clients = Clients(sandbox, ACCOUNT)
    yield clients, building.build(clients, sandbox, ACCOUNT, ["api"], desired=0)
    building.control(sandbox, "/sandbox/ecs/pace", seconds=3)


def asked(built: Built, command: list[str] | None = None, **more: Any) -> dict[str, Any]:
    override = {"name": "api", **({"command": command} if command else {})}
    network = {"subnets": built.subnet_ids, "securityGroups": [built.security_group_id]}
    return {
        "cluster": built.cluster_arn,
        "taskDefinition": built.services["api"].task_definition_arn,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "overrides": {"containerOverrides": [override]},
        **more,
    }


def run(ecs: Any, built: Built, command: list[str] | None = None, **more: Any) -> dict[str, Any]:
    answer = ecs.run_task(**asked(built, command, **more))
    assert not answer["failures"]
    task: dict[str, Any] = answer["tasks"][0]
    return task


def until(ecs: Any, built: Built, task: dict[str, Any], status: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found: dict[str, Any] = ecs.describe_tasks(cluster=built.cluster_arn, tasks=[task["taskArn"]])[
            "tasks"
        ][0]
        if found["lastStatus"] == status:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{found['lastStatus']} instead of {status}")


def with_image(ecs: Any, built: Built, image: str, **container: Any) -> str:
    definition = built.services["api"].definition
    row = {**definition["containerDefinitions"][0], "image": image, **container}
    made = ecs.register_task_definition(**{**definition, "containerDefinitions": [row]})
    return str(made["taskDefinition"]["taskDefinitionArn"])


@pytest.mark.parametrize(
    ("command", "code"),
    [(["alembic", "upgrade", "head"], 0), (["migrate", "--fail"], 1), (["sh", "-c", "exit 3"], 3)],
)
def test_a_command_ends_with_its_exit_code(
    place: tuple[Clients, Built], command: list[str], code: int
) -> None:
    client, built = place
    task = run(client("ecs"), built, command, startedBy="somebody")
    assert (task["lastStatus"], task["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    running = until(client("ecs"), built, task, "RUNNING")
    assert running["containers"][0]["imageDigest"] == built.services["api"].digests["v1"]
    assert "exitCode" not in running["containers"][0]
    done = until(client("ecs"), built, task, "STOPPED")
    assert done["containers"][0]["exitCode"] == code
    assert (done["stopCode"], done["desiredStatus"]) == ("EssentialContainerExited", "STOPPED")
    assert done["startedBy"] == "somebody"
    assert done["createdAt"] < done["startedAt"] < done["stoppingAt"] < done["stoppedAt"]


def test_the_same_client_token_starts_one_task(place: tuple[Clients, Built]) -> None:
    client, built = place
    one, two = (run(client("ecs"), built, ["migrate"], clientToken="token-1") for _ in range(2))
    assert one["taskArn"] == two["taskArn"]
    with pytest.raises(ClientError, match="ConflictException"):
        run(client("ecs"), built, ["something", "else"], clientToken="token-1")


def test_a_task_without_a_command_runs_until_it_is_stopped(place: tuple[Clients, Built]) -> None:
    client, built = place
    ecs = client("ecs")
    task = run(ecs, built, group="mine", startedBy="server")
    until(ecs, built, task, "RUNNING")
    listed = ecs.list_tasks(cluster=built.cluster_name, startedBy="server")["taskArns"]
    assert listed == [task["taskArn"]]
    ecs.stop_task(cluster=built.cluster_arn, task=task["taskArn"], reason="enough")
    done = until(ecs, built, task, "STOPPED")
    assert (done["stopCode"], done["stoppedReason"], done["group"]) == ("UserInitiated", "enough", "mine")
    assert done["containers"][0]["exitCode"] == 143
    assert ecs.list_tasks(cluster=built.cluster_name, startedBy="server")["taskArns"] == []
    gone = ecs.list_tasks(cluster=built.cluster_name, startedBy="server", desiredStatus="STOPPED")
    assert gone["taskArns"] == [task["taskArn"]]


def test_what_an_image_brings_along_happens_to_its_tasks_too(place: tuple[Clients, Built]) -> None:
    client, built = place
    ecs, api = client("ecs"), built.services["api"]
    killed = run(ecs, built, ["migrate"], taskDefinition=with_image(ecs, built, api.image("oom")))
    pulled = run(ecs, built, ["migrate"], taskDefinition=with_image(ecs, built, api.image("cannot-pull")))
    missing = run(
        ecs, built, ["migrate"], taskDefinition=with_image(ecs, built, f"{api.repository_uri}:nowhere")
    )
    secret = {"name": "KEY", "valueFrom": api.secret_arn.replace(api.secret_name, "nowhere")}
    closed = run(
        ecs, built, ["migrate"], taskDefinition=with_image(ecs, built, api.image("v2"), secrets=[secret])
    )
    done = until(ecs, built, killed, "STOPPED")
    assert (done["containers"][0]["exitCode"], done["containers"][0]["reason"][:16]) == (
        137,
        "OutOfMemoryError",
    )
    for task, word in ((pulled, "CannotPull"), (missing, "CannotPull"), (closed, "ResourceInit")):
        done = until(ecs, built, task, "STOPPED")
        assert done["stopCode"] == "TaskFailedToStart"
        assert done["stoppedReason"].startswith(word)
        assert "exitCode" not in done["containers"][0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"networkConfiguration": {}}, "Network Configuration"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "not a container"),
        ({"taskDefinition": "nowhere:1"}, "Unable to describe"),
        ({"cluster": "nowhere"}, "ClusterNotFound"),
        ({"count": 11}, "count"),
    ],
)
def test_what_cannot_be_run_is_refused(
    place: tuple[Clients, Built], wrong: dict[str, Any], words: str
) -> None:
    client, built = place
    with pytest.raises(ClientError, match=words):
        client("ecs").run_task(**asked(built, ["x"], **wrong))


def test_what_a_task_says_is_in_its_log_group(place: tuple[Clients, Built]) -> None:
    client, built = place
    ecs, logs, group = client("ecs"), client("logs"), built.services["api"].log_group
    good = run(ecs, built, ["alembic", "upgrade", "head"])
    bad = run(ecs, built, ["migrate", "--fail"])
    said = {}
    for task in (good, bad):
        until(ecs, built, task, "STOPPED")
        stream = f"api/api/{task['taskArn'].rpartition('/')[2]}"
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        again = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        assert events == again
        said[task["taskArn"]] = [event["message"] for event in events]
    assert said[good["taskArn"]] == ["INFO running: alembic upgrade head", "INFO done"]
    assert said[bad["taskArn"]][1] == "ERROR it failed with exit code 1"
    found = logs.filter_log_events(logGroupName=group, filterPattern="exit")["events"]
    assert "ERROR it failed with exit code 1" in [event["message"] for event in found]


def test_a_services_tasks_say_what_happens_to_them(place: tuple[Clients, Built]) -> None:
    client, built = place
    api, cluster = built.services["api"], built.cluster_arn
    ecs, logs = client("ecs"), client("logs")
    ecs.update_service(
        cluster=cluster,
        service=api.arn,
        desiredCount=1,
        taskDefinition=with_image(ecs, built, api.image("oom")),
    )
    deadline = time.monotonic() + 10
    lines: list[str] = []
    while time.monotonic() < deadline and len(lines) < 3:
        for stream in logs.describe_log_streams(logGroupName=api.log_group)["logStreams"]:
            name = stream["logStreamName"]
            events = logs.get_log_events(logGroupName=api.log_group, logStreamName=name)["events"]
            said = [event["message"] for event in events]
            # Tasks that other tests ran once say other things.
            lines = said if "INFO listening on port 8000" in said else lines
        time.sleep(0.02)
    ecs.update_service(cluster=cluster, service=api.arn, desiredCount=0)
    assert lines == [
        f"INFO starting api {api.digests['oom'][:19]}",
        "INFO listening on port 8000",
        "ERROR cannot allocate memory",
    ]
