"""What the execution role may do, and the secrets and log groups that tasks need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.environments.deployments.preflight.crafted import (
    SECRET,
    allowed,
    definition,
    secret,
)

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
