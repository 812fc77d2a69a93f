"""What a gate is told about a plan, and what a change does beyond its attributes."""

from __future__ import annotations

from typing import Any

import pytest

from portal.terraform.effects import EFFECTS
from portal.terraform.plan import read_plan
from portal.terraform.plan_facts import PlanFacts, plan_facts
from tests.portal.terraform.documents import change, plan

CREATE, UPDATE, DELETE, REPLACE = ["create"], ["update"], ["delete"], ["delete", "create"]


def facts(*changes: dict[str, Any]) -> PlanFacts:
    return plan_facts(read_plan(plan(*changes)))


def effects(
    kind: str, actions: list[str], before: Any = None, after: Any = None, **more: Any
) -> tuple[str, ...]:
    (found,) = read_plan(plan(change(f"{kind}.a", actions, before, after, **more))).changes
    assert set(found.effects) <= set(EFFECTS)
    return found.effects


def test_destroys_replaces_and_lost_data() -> None:
    found = facts(
        change("aws_x.new", CREATE, None, {}),
        change("aws_x.changed", UPDATE, {"a": 1}, {"a": 2}),
        change("aws_sns_topic.gone", DELETE, {"id": "1"}, None),
        change("aws_db_instance.main", REPLACE, {"id": "1"}, {"id": "2"}),
        change("module.m.aws_s3_bucket.media", DELETE, {"id": "1"}, None),
        change("aws_s3_bucket.kept", ["forget"], {"id": "1"}, None),
        change("data.aws_iam_policy_document.d", ["read"], None, {"json": "{}"}),
    )
    assert found.creates == ("aws_x.new",)
    assert found.updates == ("aws_x.changed",)
    assert found.destroys == ("aws_sns_topic.gone", "module.m.aws_s3_bucket.media")
    assert found.replaces == ("aws_db_instance.main",)
    assert found.forgets == ("aws_s3_bucket.kept",)
    assert found.stateful_destroys == ("aws_db_instance.main", "module.m.aws_s3_bucket.media")
    assert found.touches_iam == ()


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("aws_iam_role", {"name": "a"}, {"name": "b"}, True),
        ("aws_iam_role_policy_attachment", {"policy_arn": "a"}, {"policy_arn": "b"}, True),
        ("aws_iam_role", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, False),
        ("aws_s3_bucket_policy", {"policy": "{}"}, {"policy": "[]"}, True),
        (
            "aws_s3_bucket_public_access_block",
            {"block_public_acls": True},
            {"block_public_acls": False},
            True,
        ),
        ("aws_sqs_queue", {"policy": "a"}, {"policy": "b"}, True),
        ("aws_sqs_queue", {"delay_seconds": 1}, {"delay_seconds": 2}, False),
        ("aws_kms_key", {"policy": "a"}, {"policy": "b"}, True),
        ("aws_sns_topic_policy", {"policy": "a"}, {"policy": "b"}, True),
        ("aws_secretsmanager_secret_policy", {"policy": "a"}, {"policy": "b"}, True),
        ("aws_lambda_permission", {"principal": "a"}, {"principal": "b"}, True),
        ("aws_appautoscaling_policy", {"policy_type": "a"}, {"policy_type": "b"}, False),
        ("aws_ecr_lifecycle_policy", {"x": "a"}, {"x": "b"}, False),
        ("aws_db_instance", {"publicly_accessible": False}, {"publicly_accessible": True}, True),
        ("aws_ecs_task_definition", {"task_role_arn": "a"}, {"task_role_arn": "b"}, True),
    ],
)
def test_what_touches_permissions(kind: str, before: Any, after: Any, expected: bool) -> None:
    assert bool(facts(change(f"{kind}.a", UPDATE, before, after)).touches_iam) is expected


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("aws_security_group", {"name": "a"}, {"name": "b"}, True),
        ("aws_vpc_security_group_ingress_rule", {"from_port": 1}, {"from_port": 2}, True),
        ("aws_security_group_rule", {"from_port": 1}, {"from_port": 2}, True),
        ("aws_route", {"gateway_id": "a"}, {"gateway_id": "b"}, True),
        ("aws_subnet", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, False),
        ("aws_network_acl_rule", {"cidr_block": "a"}, {"cidr_block": "b"}, True),
        ("aws_vpc_endpoint", {"route_table_ids": ["a"]}, {"route_table_ids": ["b"]}, True),
        ("aws_lb_listener", {"port": 80}, {"port": 443}, True),
        ("aws_lb", {"idle_timeout": 60}, {"idle_timeout": 120}, False),
        ("aws_lb", {"internal": True}, {"internal": False}, True),
        ("aws_db_instance", {"vpc_security_group_ids": ["a"]}, {"vpc_security_group_ids": ["b"]}, True),
        ("aws_db_instance", {"backup_retention_period": 1}, {"backup_retention_period": 7}, False),
        ("aws_ecs_service", {"desired_count": 1}, {"desired_count": 2}, False),
    ],
)
def test_what_touches_the_network(kind: str, before: Any, after: Any, expected: bool) -> None:
    assert bool(facts(change(f"{kind}.a", UPDATE, before, after)).touches_network) is expected


def test_computed_values_that_come_again_touch_nothing() -> None:
    entry = change("aws_sqs_queue.a", UPDATE, {"delay": 1}, {"delay": 2}, unknown={"policy": True})
    assert facts(entry).touches_iam == ()


def test_what_waits_for_a_maintenance_window_and_what_does_not() -> None:
    small, large = {"instance_class": "db.t4g.micro"}, {"instance_class": "db.t4g.large"}
    assert effects("aws_db_instance", UPDATE, small, large) == ("waits_for_maintenance_window",)
    now = {"apply_immediately": True}
    assert effects("aws_db_instance", UPDATE, small | now, large | now) == ("restarts_database", "downtime")
    assert (
        effects("aws_db_instance", UPDATE, {"backup_retention_period": 1}, {"backup_retention_period": 7})
        == ()
    )
    assert effects("aws_elasticache_replication_group", UPDATE, {"node_type": "a"}, {"node_type": "b"}) == (
        "waits_for_maintenance_window",
    )


def test_a_static_parameter_waits_for_a_reboot() -> None:
    def parameters(value: str, method: str) -> dict[str, Any]:
        return {"parameter": [{"name": "a", "value": "1", "apply_method": "immediate"},
                              {"name": "b", "value": value, "apply_method": method}]}  # fmt: skip

    kind = "aws_db_parameter_group"
    assert effects(kind, UPDATE, parameters("1", "pending-reboot"), parameters("2", "pending-reboot")) == (
        "waits_for_reboot",
    )
    assert effects(kind, UPDATE, parameters("1", "immediate"), parameters("2", "immediate")) == ()


def test_what_restarts_tasks() -> None:
    assert effects(
        "aws_ecs_service", UPDATE, {"task_definition": "a:1"}, {}, unknown={"task_definition": True}
    ) == ("restarts_tasks",)
    assert effects("aws_ecs_service", UPDATE, {"desired_count": 1}, {"desired_count": 2}) == ("scales_tasks",)
    assert effects("aws_ecs_task_definition", CREATE, None, {"family": "f"}) == ("new_task_definition",)
    assert effects("aws_ecs_task_definition", UPDATE, {"tags": {}}, {"tags": {"a": "b"}}) == ()


def test_a_new_revision_waits_for_a_deployment_unless_its_service_takes_it() -> None:
    """Whether tasks are replaced is said by the service, or by nobody."""
    arn = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/f:1"
    revision = change(
        "aws_ecs_task_definition.a", REPLACE, {"family": "f", "cpu": 1}, {"family": "f", "cpu": 2}
    )

    def of_the_revision(*others: dict[str, Any]) -> tuple[str, ...]:
        found = read_plan(plan(revision, *others)).changes
        return next(one.effects for one in found if one.type == "aws_ecs_task_definition")

    takes = change(
        "aws_ecs_service.a", UPDATE, {"task_definition": arn}, {}, unknown={"task_definition": True}
    )
    another = change(
        "aws_ecs_service.b", UPDATE, {"task_definition": arn.replace("/f:", "/g:")}, {},
        unknown={"task_definition": True},
    )  # fmt: skip
    leaves = change(
        "aws_ecs_service.a", UPDATE, {"task_definition": arn, "desired_count": 1},
        {"task_definition": arn, "desired_count": 2},
    )  # fmt: skip
    made_anew = change("aws_ecs_service.a", REPLACE, {"task_definition": arn, "name": "a"}, {"name": "b"})
    waits = ("new_task_definition", "waits_for_deployment")
    assert of_the_revision() == of_the_revision(another) == of_the_revision(leaves) == waits
    assert of_the_revision(takes) == of_the_revision(made_anew) == ("new_task_definition",)
    assert of_the_revision(change("aws_ecs_service.n", CREATE, None, {"name": "n"})) == (
        "new_task_definition",
    )


def test_what_is_gone() -> None:
    assert effects("aws_db_instance", REPLACE, {"engine": "a"}, {"engine": "b"}) == (
        "replaces_database",
        "loses_data",
        "downtime",
    )
    assert effects("aws_s3_bucket", DELETE, {"id": "b"}, None) == ("loses_data",)
    assert effects("aws_lb", REPLACE, {"name": "a"}, {"name": "b"}) == ("downtime", "changes_address")
    assert effects("aws_s3_bucket", ["forget"], {"id": "b"}, None) == ()
