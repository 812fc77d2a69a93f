"""What counts as proof that a service runs as approved, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from environments.deployments.models import Act, Deployment, DeploymentPart
from environments.deployments.proving.proof import proven, standing
from portal.aws import ecs
from portal.aws.sessions import AccountAccess

AWS = AccountAccess("aws", "123456789012", "arn:aws:iam::123456789012:role/portal", "", "ap-northeast-2")
OURS, OLD, OTHER = (f"arn:aws:ecs:r:1:task-definition/api:{number}" for number in (7, 6, 8))
RECORD, RECORD_2 = (
    "arn:aws:ecs:r:1:service-deployment/c/api/one",
    "arn:aws:ecs:r:1:service-deployment/c/api/two",
)
GOOD, BAD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MOMENT = datetime(2026, 11, 20, 3, tzinfo=UTC)


def task(**other: Any) -> dict[str, Any]:
    container = {
        "name": "api",
        "imageDigest": other.pop("digest", GOOD),
        "image": other.pop("image", "r/api:v2"),
    }
    return {
        "taskArn": "arn:aws:ecs:r:1:task/c/1",
        "taskDefinitionArn": OURS,
        "lastStatus": "RUNNING",
        "createdAt": MOMENT,
        "startedBy": "ecs-svc/1",
        "containers": [{"name": "log", "imageDigest": GOOD}, container],
        **other,
    }


class Account:
    """What ECS answers."""

    def __init__(self) -> None:
        self.tasks = [task(), task()]
        self.record: dict[str, Any] = {"status": "SUCCESSFUL"}
        self.service: dict[str, Any] = {
            "status": "ACTIVE",
            "taskDefinition": OURS,
            "desiredCount": 2,
            "runningCount": 2,
            "pendingCount": 0,
            "currentServiceDeployment": RECORD,
            "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED"}],
        }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account()
    monkeypatch.setattr(ecs, "describe_services", lambda *asked: [made.service] if made.service else [])
    monkeypatch.setattr(
        ecs, "describe_service_deployments", lambda *asked: [made.record] if made.record else []
    )
    monkeypatch.setattr(ecs, "list_tasks", lambda *asked: [row["taskArn"] for row in made.tasks])
    monkeypatch.setattr(ecs, "describe_tasks", lambda *asked: made.tasks)
    return made


def part(act: str = Act.DEPLOY, **other: Any) -> DeploymentPart:
    fields = {
        "service": "api",
        "service_arn": "arn:aws:ecs:r:1:service/c/api",
        "cluster_arn": "arn:aws:ecs:r:1:cluster/c",
        "container": "api",
        "digest": GOOD,
        "registered_arn": OURS,
        "previous_arn": OLD,
        "ecs_deployment_id": "ecs-svc/1",
        "service_deployment_arn": RECORD,
        "intended_at": MOMENT,
        **other,
    }
    return DeploymentPart(deployment=Deployment(act=act), **fields)


def test_every_running_task_carries_the_digest(account: Account) -> None:
    found = proven(AWS, part())
    assert found.ok is True and "All 2 running tasks" in found.text


@pytest.mark.parametrize(
    ("one", "word"),
    [
        ({"digest": BAD}, "digest"),
        ({"taskDefinitionArn": OLD}, "api:6"),
        # A sidecar that carries it is not the container that was approved.
        ({"containers": [{"name": "log", "imageDigest": GOOD}]}, "digest"),
    ],
)
def test_one_task_that_is_otherwise_is_enough(account: Account, one: dict[str, Any], word: str) -> None:
    account.tasks[1] = task(**one)
    found = proven(AWS, part())
    assert found.ok is False and word in found.text and not found.replaced


def test_an_image_for_several_platforms_is_known_by_the_reference_it_was_started_with(
    account: Account,
) -> None:
    account.tasks = [task(digest=BAD, image=f"r/api@{GOOD}")] * 2
    assert proven(AWS, part()).ok is True


@pytest.mark.parametrize(
    "status", ["ROLLBACK_SUCCESSFUL", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "STOPPED"]
)
def test_stable_after_ecs_went_back_is_no_success(account: Account, status: str) -> None:
    account.record = {"status": status, "statusReason": "circuit breaker"}
    found = proven(AWS, part())
    assert found.ok is False and "circuit breaker" in found.text


@pytest.mark.parametrize(
    "change",
    [
        {"record": {"status": "IN_PROGRESS"}},
        {"tasks": [task()]},
        {"tasks": [task(), task(), task(lastStatus="PENDING")]},
    ],
)
def test_what_is_not_yet_is_not_known(account: Account, change: dict[str, Any]) -> None:
    vars(account).update(change)
    assert proven(AWS, part()).ok is None


@pytest.mark.parametrize(
    "change",
    [{"taskDefinition": OTHER}, {"currentServiceDeployment": RECORD_2}, {"status": "INACTIVE"}],
)
def test_what_somebody_put_in_its_place_is_said_to_be_replaced(
    account: Account, change: dict[str, Any]
) -> None:
    account.service |= change
    found = proven(AWS, part())
    assert (found.ok, found.replaced) == (False, True)
    assert standing(AWS, part())


def test_where_ecs_keeps_no_record_its_list_of_deployments_decides(account: Account) -> None:
    account.record = {}
    assert proven(AWS, part()).ok is True
    account.service["deployments"][0]["rolloutState"] = "IN_PROGRESS"
    assert proven(AWS, part()).ok is None
    account.service["deployments"][0]["rolloutState"] = "FAILED"
    assert proven(AWS, part()).ok is False
    account.service["deployments"][0] |= {"rolloutState": "COMPLETED", "id": "ecs-svc/2"}
    assert proven(AWS, part(service_deployment_arn="")).replaced


def test_a_restart_is_proven_by_new_tasks(account: Account) -> None:
    restart = part(Act.RESTART, registered_arn="", previous_arn=OURS)
    assert proven(AWS, restart).ok is True
    old = {"startedBy": "ecs-svc/0", "createdAt": MOMENT - timedelta(hours=1)}
    account.tasks[0] = task(**old)
    found = proven(AWS, restart)
    assert found.ok is False and "before the restart" in found.text
    # Another starter's task that began afterwards is a new one too.
    account.tasks[0] = task(**old | {"createdAt": MOMENT + timedelta(seconds=1)})
    assert proven(AWS, restart).ok is True


def test_a_scaling_is_proven_when_as_many_run_as_are_wanted(account: Account) -> None:
    scaling = part(Act.SCALE, registered_arn="", wanted={"desired": 2})
    assert proven(AWS, scaling).ok is True
    account.service["runningCount"] = 1
    assert proven(AWS, scaling).ok is None
    account.service["desiredCount"] = 1
    assert proven(AWS, scaling).ok is False


def test_a_service_without_tasks_proves_nothing_wrong(account: Account) -> None:
    account.tasks, account.service["desiredCount"] = [], 0
    found = proven(AWS, part())
    assert found.ok is True and "no tasks at all" in found.text
