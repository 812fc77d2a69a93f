"""What no provider and no blueprint marks is told by its name or its form; harmless facts stay readable."""

import json

import pytest

from portal.terraform.digests import ProposalContext, proposal_digest
from portal.terraform.documents import MASK
from portal.terraform.plan import read_plan
from portal.terraform.state import read_state
from portal.terraform.state_comparison import state_differences
from portal.terraform.unmarked import names_secret, unmarked_secrets, with_guesses

RANDOM = "kT9-vQ2x_Zr7LpW4"
CONTEXT = ProposalContext("run", "apply", 1, "d", "b", "a", "r")


@pytest.mark.parametrize(
    "name",
    (
        "password",
        "db_password",
        "DB_PASSWORD",
        "PGPASSWORD",
        "apiToken",
        "SMTP_PASS",
        "JWT_SECRET",
        "client_secret",
        "secretString",
        "private-key",
        "ENCRYPTION_KEY",
        "STRIPE_KEY",
    ),
)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    (
        "secret_arn",
        "token_name",
        "password_length",
        "hash_key",
        "kms_key",
        "key",
        "secret_id",
        "http_tokens",
        "PWD",
    ),
)
def test_names_of_harmless_facts(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("value", "marks"),
    (
        ({"db_password": "postgres"}, {"db_password": True}),
        ({"environment": {"API_TOKEN": RANDOM, "LOG_LEVEL": "debug"}}, {"environment": {"API_TOKEN": True}}),
        ([{"name": "API_TOKEN", "value": RANDOM}, {"name": "A", "value": RANDOM}], [{"value": True}, None]),
        ({"url": f"postgres://app:{RANDOM}@db:5432/x"}, {"url": True}),
        ({"pem": "-----BEGIN PRIVATE KEY-----\nMIIE"}, {"pem": True}),
        ({"token": "required", "auth_token": "", "api_key": None, "secret": 7}, None),
        ({"secret": "arn:aws:secretsmanager:x:1:secret:db-AbCdEf12"}, None),
        ({"password": "/prod/db/password"}, None),
        ({"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:x:1:parameter/db"}, None),
        ({"token": "https://example.com/oauth/token/of/it"}, None),
    ),
)
def test_what_is_marked(value: object, marks: object) -> None:
    assert with_guesses(value) == marks


def test_marks_that_are_there_stay() -> None:
    assert with_guesses({"a": {"b": "x"}, "db_password": "y"}, {"a": {"b": True}}) == {
        "a": {"b": True},
        "db_password": True,
    }
    assert with_guesses(["x"], {"0": True}) == [True]
    assert with_guesses("anything", marks=True) is True


def test_only_what_looks_random_is_hidden_everywhere() -> None:
    assert set(unmarked_secrets({"password": "postgres", "token": RANDOM})) == {RANDOM}
    assert set(unmarked_secrets({"url": f"amqps://u:{RANDOM}@mq/"})) == {RANDOM}
    nested = json.dumps([{"environment": [{"name": "DB_PASSWORD", "value": RANDOM}]}])
    assert set(unmarked_secrets({"container_definitions": nested})) == {RANDOM}


def definitions(password: str, level: str = "info") -> str:
    return json.dumps(
        [
            {
                "name": "app",
                "environment": [
                    {"name": "LOG_LEVEL", "value": level},
                    {"name": "DB_PASSWORD", "value": password},
                    {"name": "BROKER", "value": f"amqps://app:{password}@mq:5671/"},
                ],
            }
        ]
    )


def plan(before: object, after: object, outputs: dict[str, object] | None = None) -> bytes:
    change = {"actions": ["update"], "before": before, "after": after, "after_unknown": {}}
    entry = {"address": "aws_ecs_task_definition.app", "type": "aws_ecs_task_definition", "name": "app"}
    shown = {
        name: {"actions": ["create"], "before": None, "after": value, "after_unknown": False}
        for name, value in (outputs or {}).items()
    }
    document = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [{**entry, "mode": "managed", "change": change}],
        "output_changes": shown,
    }
    return json.dumps(document).encode()


def test_a_containers_environment_in_a_plan() -> None:
    old, new = "short-1", "other-2"
    found = read_plan(
        plan(
            {"container_definitions": definitions(old)},
            {"container_definitions": definitions(new, "debug"), "user_data": f"export T={RANDOM}"},
            {"admin_password": "postgres", "label": "blue", "dsn": f"postgres://a:{RANDOM}@db/x"},
        )
    )
    text = repr([(one.attributes, one.before, one.after) for one in found.changes])
    assert old not in text
    assert new not in text
    assert "debug" in text
    assert RANDOM not in text  # known from the output's address, hidden in user_data too
    outputs = {one.name: (one.after, one.sensitive) for one in found.outputs}
    assert outputs == {"admin_password": (MASK, True), "label": ("blue", False), "dsn": (MASK, True)}


def test_the_digest_keeps_an_unmarked_secret_under_the_key() -> None:
    """Otherwise whoever reads digests could try passwords against them."""
    keyed = []

    def hmac(data: bytes) -> str:
        keyed.append(data)
        return "keyed"

    document = read_plan(
        plan(None, {"container_definitions": definitions("short-1"), "db_password": "postgres"})
    )
    proposal_digest(document, CONTEXT, hmac=hmac)
    assert len(keyed) == 2


def state(password: str, **outputs: object) -> bytes:
    instance = {
        "attributes": {
            "id": "app",
            "container_definitions": definitions(password),
            "copy": RANDOM,
            "db_password": "postgres",
        }
    }
    return json.dumps(
        {
            "version": 4,
            "serial": 1,
            "lineage": "x",
            "outputs": {name: {"value": value, "type": "string"} for name, value in outputs.items()},
            "resources": [
                {
                    "mode": "managed",
                    "type": "aws_ecs_task_definition",
                    "name": "app",
                    "provider": "p",
                    "instances": [instance],
                }
            ],
        }
    ).encode()


def test_a_containers_environment_in_a_state() -> None:
    found = read_state(state("short-1", db_password="postgres", label="blue"), known=[RANDOM])
    shown = found.resources[0].attributes
    assert "short-1" not in repr(shown)
    assert "LOG_LEVEL" in shown["container_definitions"]
    assert (shown["copy"], shown["db_password"]) == (MASK, MASK)
    assert {one.name: one.sensitive for one in found.outputs} == {"db_password": True, "label": False}
    text = repr(state_differences(found, read_state(state("other-2"))))
    assert "short-1" not in text
    assert "other-2" not in text
    assert "container_definitions" in text
