"""The task definition that is registered: nothing lost, nothing taken that is somebody else's."""

from __future__ import annotations

import botocore.session
import pytest

from environments.changes.kinds import ToolFailure
from environments.deployments.proposal.rendering import Wanted, render
from tests.environments.deployments.proposal.definitions import (
    REPOSITORY,
    container,
    declaration,
    described,
    variables,
)

NEW = f"{REPOSITORY}@sha256:{'b' * 64}"
READ_ONLY = {
    "taskDefinitionArn",
    "revision",
    "status",
    "compatibilities",
    "requiresAttributes",
    "registeredAt",
    "registeredBy",
}


def env(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def test_everything_stays_but_the_image():
    running = described()
    made = render(running, None, declaration(), "api", Wanted(image=NEW))
    assert set(running) - set(made) == READ_ONLY
    assert container(made) == {**container(running), "image": NEW}
    assert container(made, "sidecar") == container(running, "sidecar")
    for name in set(made) - {"containerDefinitions"}:
        assert made[name] == running[name]
    assert variables(made)["EMPTY"] == ""


def test_it_strips_just_what_registering_does_not_take():
    model = botocore.session.get_session().get_service_model("ecs")
    takes = set(model.operation_model("RegisterTaskDefinition").input_shape.members)
    described_ones = set(model.shape_for("TaskDefinition").members)
    running = described() | dict.fromkeys(described_ones - takes, "x")
    assert set(render(running, None, declaration(), "api", Wanted())) <= takes | {"somethingNew"}


def test_what_terraform_owns_comes_from_its_newest_revision_and_the_image_does_not():
    running = described(9, image=NEW, healthCheck={"command": ["CMD", "old"]})
    terraform = described(12, image="placeholder:latest", environment=env(ENVIRONMENT="production", NEW="1"))
    terraform["taskRoleArn"] = "arn:aws:iam::1:role/other"
    made = render(running, terraform, declaration(), "api", Wanted())
    assert container(made)["image"] == NEW
    assert container(made)["healthCheck"] == container(terraform)["healthCheck"]
    assert variables(made) == {"ENVIRONMENT": "production", "NEW": "1"}
    assert made["taskRoleArn"] == "arn:aws:iam::1:role/other"


def test_what_deployments_own_comes_from_what_runs_removals_included():
    owned = declaration("environment.LOG_LEVEL", "environment.FEATURE_*", "cpu")
    running = described(9, cpu=448, environment=env(LOG_LEVEL="DEBUG", FEATURE_A="on", STRAY="by hand"))
    running["cpu"] = "512"
    terraform = described(12, environment=env(LOG_LEVEL="INFO", FEATURE_B="off", ENVIRONMENT="production"))
    made = render(running, terraform, owned, "api", Wanted())
    # FEATURE_B was taken away by a deployment; STRAY was never anybody's.
    assert variables(made) == {"LOG_LEVEL": "DEBUG", "FEATURE_A": "on", "ENVIRONMENT": "production"}
    assert (made["cpu"], container(made)["cpu"]) == ("512", 448)
    assert (made["memory"], container(made)["memory"]) == (terraform["memory"], 384)


def test_a_variable_that_terraform_made_a_secret_is_none_any_more():
    running = described(9, environment=env(DATABASE_URL="plain", LOG_LEVEL="INFO"), secrets=[])
    made = render(running, described(12), declaration("environment.*"), "api", Wanted())
    assert variables(made) == {"LOG_LEVEL": "INFO"}


def test_settings_are_set_and_taken_away():
    wanted = Wanted(environment={"LOG_LEVEL": "", "B": "2"}, unset=["EMPTY"])
    made = render(described(), None, declaration("environment.*"), "api", wanted)
    assert variables(made) == {"ENVIRONMENT": "production", "B": "2", "LOG_LEVEL": ""}


def test_a_container_without_variables_gets_its_first_one():
    running = described()
    del container(running)["environment"]
    made = render(running, None, declaration("environment.A"), "api", Wanted(environment={"A": "1"}))
    assert variables(made) == {"A": "1"}
    assert "environment" not in container(render(running, None, declaration(), "api", Wanted()))


def test_a_greater_task_is_its_containers_gain():
    owned = declaration("cpu", "memory")
    made = render(described(), None, owned, "api", Wanted(cpu=512, memory=1024))
    assert (made["cpu"], made["memory"]) == ("512", "1024")
    assert (container(made)["cpu"], container(made)["memory"]) == (448, 896)
    assert container(made, "sidecar")["memory"] == 128


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Wanted(cpu=512), "With 512 CPU units Fargate gives 1024 to 4096"),
        (Wanted(environment={"DATABASE_URL": "x"}), "is a reference to a secret"),
        (Wanted(unset=["DATABASE_URL"]), "is a reference to a secret"),
    ],
)
def test_what_cannot_be_a_task_definition_is_refused(changes, words):
    with pytest.raises(ToolFailure, match=words):
        render(described(), None, declaration("cpu", "memory", "environment.*"), "api", changes)


@pytest.mark.parametrize("changes", [Wanted(environment={"ENVIRONMENT": "x"}), Wanted(cpu=512)])
def test_what_the_blueprint_has_taken_back_since_is_refused(changes):
    with pytest.raises(ToolFailure, match="for Terraform by now"):
        render(described(), None, declaration(), "api", changes)


def test_others_keep_their_share_of_a_smaller_task():
    running = described()
    running["memory"], container(running)["memory"] = "2048", 1000
    with pytest.raises(ToolFailure, match="leave nothing"):
        render(running, None, declaration("memory"), "api", Wanted(memory=512))


def test_a_reservation_above_the_limit_is_refused():
    running = described(memoryReservation=380)
    running["memory"], container(running)["memory"] = "1024", 640
    with pytest.raises(ToolFailure, match="reserves 380 MiB"):
        render(running, None, declaration("memory"), "api", Wanted(memory=512))


def test_a_container_that_is_not_there_is_named():
    with pytest.raises(ToolFailure, match="no container “web”"):
        render(described(), None, declaration(), "web", Wanted())


def test_a_renamed_container_keeps_nothing_of_the_old_one():
    running = described()
    container(running)["name"] = "old"
    made = render(running, described(12), declaration("cpu", "environment.*"), "api", Wanted(image=NEW))
    assert container(made) == {**container(described(12)), "image": NEW}
