"""What goes wrong on purpose, and a demonstration's repositories that are full from the beginning."""

from __future__ import annotations

import json
import urllib.error
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.sandbox.testing import RunningSandbox, running_sandbox
from tests.environments.deployments import building
from tests.environments.deployments.building import Clients, control
from tests.portal.sandbox.conftest import client_for

ACCOUNT, OTHER = "333333333331", "333333333332"


def service(sandbox: RunningSandbox, account: str, name: str) -> str:
    """A service without tasks; its ARN."""
    ecs = Clients(sandbox, account)("ecs")
    ecs.create_cluster(clusterName="c")
    container = {"name": "web", "image": "web:1", "memory": 128}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    made = ecs.create_service(cluster="c", serviceName=name, taskDefinition=name, desiredCount=0)
    return str(made["service"]["serviceArn"])


def refusal(sandbox: RunningSandbox, **asked: Any) -> str:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(sandbox, "/sandbox/ecs/fault", **asked)
    assert refused.value.code == 400
    return str(json.load(refused.value)["error"])


def test_a_fault_is_switched_on_at_one_service(sandbox: RunningSandbox) -> None:
    here, there = service(sandbox, ACCOUNT, "twin"), service(sandbox, OTHER, "twin")
    for asked, arn in (({"service": here}, here), ({"service": "twin", "account": OTHER}, there)):
        assert control(sandbox, "/sandbox/ecs/fault", fault="oom", **asked) == {
            "service": arn,
            "fault": "oom",
        }
    assert refusal(sandbox, service="twin", fault="oom").endswith(f"({ACCOUNT}, {OTHER})")
    assert refusal(sandbox, service="nowhere", fault="oom") == "there is no service nowhere"
    assert "never-healthy" in refusal(sandbox, service=here, fault="tired")


def test_the_command_switches_it_and_refuses_in_production(
    sandbox: RunningSandbox, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SANDBOX_URL = sandbox.url
    arn = service(sandbox, ACCOUNT, "commanded")
    call_command("sandbox_fault", "commanded", "slow-start")
    assert capsys.readouterr().out == f"{arn}: slow-start\n"
    with pytest.raises(CommandError, match="no service nowhere"):
        call_command("sandbox_fault", "nowhere", "oom")
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("sandbox_fault", "commanded", "oom")
    settings.PRODUCTION, settings.SANDBOX_URL = False, "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="does not answer"):
        call_command("sandbox_fault", "commanded", "oom")


def test_the_demonstrations_repositories_hold_images_when_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX_SEED_IMAGES", "1")
    with running_sandbox() as running:
        ecr = client_for(running, "ecr", ACCOUNT)
        ecr.create_repository(repositoryName="triflow-ai-staging-backend")
        found = ecr.describe_images(
            repositoryName="triflow-ai-staging-backend", imageIds=[{"imageTag": "latest"}]
        )
        assert "v1" in found["imageDetails"][0]["imageTags"]
        # Nobody pushed them: they keep nobody from deleting the repository.
        ecr.delete_repository(repositoryName="triflow-ai-staging-backend")
        assert ecr.describe_repositories()["repositories"] == []


def test_without_the_setting_a_repository_is_empty(sandbox: RunningSandbox) -> None:
    ecr = client_for(sandbox, "ecr", ACCOUNT)
    ecr.create_repository(repositoryName="empty")
    assert ecr.describe_images(repositoryName="empty")["imageDetails"] == []
    control(sandbox, "/sandbox/ecr/images", account=ACCOUNT, region=building.REGION, repository="empty")
    assert ecr.describe_images(repositoryName="empty")["imageDetails"]
