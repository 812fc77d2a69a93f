"""What differs, whose it is, and what of it nobody gets to see."""

from __future__ import annotations

import pytest

from environments.deployments.proposal import difference, digests
from environments.deployments.proposal.difference import Basis, rows
from portal.aws.task_definitions import fingerprint
from tests.environments.deployments.proposal.definitions import container, declaration, described


def differs(after, before=None, *owns, **basis):
    found = rows(before or described(), after, Basis(declaration(*owns), "api", **basis))
    return {f"{row['container']}:{row['path']}": row for row in found}


def test_nothing_differs_between_equal_ones():
    assert differs(described(12)) == {}


def test_what_says_nothing_is_no_difference():
    after = described(portMappings=[], mountPoints=None, ulimits=[])
    assert differs(after) == {}


def test_each_field_with_its_owner_and_where_it_comes_from():
    after = described(
        12,
        image="x@sha256:" + "b" * 64,
        environment=[{"name": "ENVIRONMENT", "value": "staging"}, {"name": "LOG_LEVEL", "value": "DEBUG"}],
        secrets=[{"name": "DATABASE_URL", "valueFrom": "arn:aws:secretsmanager:x:1:secret:other-AbCdEf"}],
        healthCheck={"command": ["CMD-SHELL", "true"], "interval": 10, "retries": 3},
        command=["serve"],
    )
    after["cpu"], after["taskRoleArn"] = "512", "arn:aws:iam::1:role/other"
    found = differs(
        after, None, "cpu", "environment.LOG_LEVEL", asked=frozenset({"image", "environment.LOG_LEVEL"})
    )
    assert {name: (row["owner"], row["source"]) for name, row in found.items()} == {
        "api:image": ("deployment", "request"),
        "api:environment.EMPTY": ("terraform", "terraform"),
        "api:environment.ENVIRONMENT": ("terraform", "terraform"),
        "api:environment.LOG_LEVEL": ("deployment", "request"),
        "api:secrets.DATABASE_URL": ("terraform", "terraform"),
        "api:healthCheck.interval": ("terraform", "terraform"),
        "api:command": ("terraform", "terraform"),
        ":cpu": ("deployment", "running"),
        ":taskRoleArn": ("terraform", "terraform"),
    }
    assert next(iter(found)) == "api:image"
    assert (found["api:environment.EMPTY"]["before"], found["api:environment.EMPTY"]["after"]) == ("", None)
    assert found["api:secrets.DATABASE_URL"]["after"].endswith("other-AbCdEf")
    assert difference.touches_roles(list(found.values()))
    assert not difference.touches_network(list(found.values()))


def test_without_a_state_everything_comes_from_what_runs():
    after = described(command=["serve"])
    assert differs(after, terraform=False)["api:command"]["source"] == "running"


def test_another_containers_image_is_terraforms():
    after = described(12)
    container(after, "sidecar")["image"] = "sidecar:2"
    assert differs(after)["sidecar:image"]["owner"] == "terraform"


def test_containers_that_come_and_go_are_told():
    after = described(12)
    after["containerDefinitions"][1] = {"name": "proxy", "image": "proxy:1"}
    found = differs(after)
    assert (found["proxy:container"]["before"], found["proxy:container"]["after"]) == (None, "proxy")
    assert (found["sidecar:container"]["before"], found["sidecar:container"]["after"]) == ("sidecar", None)


def test_ports_are_the_network():
    after = described(portMappings=[{"containerPort": 1}])
    assert difference.touches_network(list(differs(after).values()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("API_TOKEN", "plainwordtoken"),
        ("SETTINGS", "postgresql://app:hunter2@db/app"),
        ("KEY_FILE", "-----BEGIN PRIVATE KEY-----\nabc"),
    ],
)
def test_what_looks_secret_is_masked_on_both_sides(name, value):
    before = described(environment=[{"name": name, "value": "old-hunter1-value"}])
    row = differs(described(environment=[{"name": name, "value": value}]), before)[f"api:environment.{name}"]
    assert (row["sensitive"], row["before"], row["after"]) == (True, "(secret)", "(secret)")
    assert "hunter" not in str(row)


def test_two_masked_changes_can_be_told_apart():
    def row(value):
        return differs(described(environment=[{"name": "DB_PASSWORD", "value": value}]))[
            "api:environment.DB_PASSWORD"
        ]

    assert row("one")["seal"] != row("two")["seal"]
    assert row("one")["seal"] == row("one")["seal"]


def test_the_digest_knows_no_order_and_no_value():
    one = described(environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    two = described(99, environment=[{"value": "2", "name": "B"}, {"name": "A", "value": "1"}], ulimits=[])
    other = described(environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "3"}])
    prints = [fingerprint(digests.sealed(definition)) for definition in (one, two, other)]
    assert prints[0] == prints[1] != prints[2]
    assert '"value": "2"' not in str(digests.sealed(one)).replace("'", '"')
    # A copy is sealed: what is registered keeps its values.
    assert container(one)["environment"][0]["value"] == "1"
