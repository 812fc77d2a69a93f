"""Changes in every state, written straight into the database: what the pages show, without running Terraform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from environments.changes.log import LogWriter
from environments.changes.models import Change, Comment, Proposal, Transition, Vote
from environments.models import Environment, Resource
from environments.runs.models import (
    DriftCheck,
    Leftover,
    Output,
    ResourceChange,
    ResourceProgress,
    StateVersion,
    TerraformRun,
)
from portal.accounts.models import User
from portal.core.redaction import Redactor

ARN = "arn:aws:rds:ap-northeast-2:210000000002:db:triflow-ai-production-db-with-a-rather-long-name"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:%s"],"Resource":"*"}]}'
# action, address, effects, attributes
PLAN: Sequence[tuple[str, str, list[str], list[dict[str, Any]]]] = (
    (
        "delete",
        'module.security_groups.aws_vpc_security_group_ingress_rule.this["legacy-office-10.0.12.0/24"]',
        [],
        [{"path": "cidr_ipv4", "before": "10.0.12.0/24", "after": None}],
    ),
    (
        "replace",
        "module.database.aws_db_instance.this",
        ["replaces_database", "loses_data"],
        [
            {"path": "storage_encrypted", "before": False, "after": True, "forces_replacement": True},
            {"path": "arn", "before": ARN, "unknown": True},
            {"path": "password", "sensitive": True, "sensitive_changed": True},
        ],
    ),
    (
        "update",
        "module.task_roles.aws_iam_role_policy.task",
        ["restarts_tasks"],
        [{"path": "policy", "before": POLICY % "*", "after": POLICY % "GetObject"}],
    ),
    *(
        (
            "create",
            f'module.monitoring.aws_cloudwatch_metric_alarm.this["alarm-{n}"]',
            [],
            [
                {"path": "threshold", "before": None, "after": n},
                {"path": "arn", "before": None, "unknown": True},
            ],
        )
        for n in range(24)
    ),
    ("read", "data.aws_iam_policy_document.assume", [], []),
)
COUNTS = {"delete": 1, "replace": 1, "update": 1, "create": 24, "read": 1}
FACTS = {
    "counts": COUNTS,
    "destroys": True,
    "touches_iam": ["module.task_roles.aws_iam_role_policy.task"],
    "touches_network": [PLAN[0][1]],
    "effects": {"replaces_database": [PLAN[1][1]], "loses_data": [PLAN[1][1]]},
    "outputs": [
        {"path": "url", "name": "url", "before": "https://old.example", "after": "https://triflow-ai.com"}
    ],
}
WAY = ("requested", "proposing", "awaiting_approval", "approved", "executing", "verifying", "succeeded")
BEFORE = ("requested", "proposing", "awaiting_approval", "approved", "rejected")
ERROR = "Error: creating RDS DB Instance (triflow-ai-production-db): StorageQuotaExceeded: " + "quota " * 40


def change_in(environment: Environment, status: str, by: User, **fields: Any) -> Change:
    """A change of `environment` that got as far as `status`, with a plan of 28 resources, votes and a log."""
    now = timezone.now()
    change = Change.objects.create(
        environment=environment,
        kind="terraform_run",
        title=f"Replace database of {environment}",
        status=status,
        summary="1 to destroy, 1 to replace, 1 to change, 24 to create",
        requested_by=by,
        requested_by_name=str(by),
        reason="The auditors ask for encryption at rest.\nSee the ticket.",
        ticket="OPS-4711 https://tickets.example/browse/OPS-4711",
        links=[{"title": "Commit", "url": "https://github.com/mugoori/TriFlow-AI/commit/" + "a1b2c3d4" * 5}],
        created_at=now - timedelta(minutes=40),
        expires_at=now + timedelta(hours=70),
        started_at=None if status in BEFORE else now - timedelta(minutes=3),
        due_at=None,
        **fields,
    )
    definition = environment.latest_definition
    assert definition is not None
    TerraformRun.objects.create(
        change=change, mode="apply", definition=definition, terraform_version="1.11.4"
    )
    way = WAY[: WAY.index(status)] if status in WAY else WAY[:3]
    for before, after in zip(("", *way), (*way, status), strict=True):
        Transition.objects.create(change=change, from_status=before, to_status=after, by=str(by), note="")
    if status not in WAY[:2]:
        _propose(change)
        _write_log(change)
    return change


def _propose(change: Change) -> None:
    change.proposal = Proposal.objects.create(
        change=change, number=1, digest="d" * 63 + str(change.pk % 10), facts=FACTS, summary=change.summary
    )
    change.save(update_fields=["proposal"])
    rank = {"delete": 0, "replace": 1, "update": 2, "create": 3, "read": 5}
    ResourceChange.objects.bulk_create(
        ResourceChange(
            proposal=change.proposal,
            rank=rank[action],
            position=position,
            address=address,
            module=".".join(address.split(".")[:2]) if address.startswith("module.") else "",
            type=address.split(".")[2 if address.startswith("module.") else 0],
            name="this",
            action=action,
            effects=effects,
            detail=detail,
        )
        for position, (action, address, effects, detail) in enumerate(PLAN)
    )


def _write_log(change: Change) -> None:
    log = LogWriter(change, change.fence, Redactor([]))
    log.write("".join(f"module.network.aws_subnet.public[{n}]: Creating...\n" for n in range(40)))
    log.write(ERROR + "\n" if change.status == "failed" else "Plan: 24 to add, 1 to change, 2 to destroy.\n")
    log.close()


def vote(change: Change, user: User, decision: str, comment: str = "") -> None:
    assert change.proposal is not None
    Vote.objects.create(
        proposal=change.proposal, user=user, decision=decision, comment=comment, roles=["approver"]
    )


def ask(change: Change, user: User, text: str) -> None:
    Comment.objects.create(change=change, user=user, text=text)


def under_way(change: Change) -> None:
    """Progress of an apply: one failed, two done, one running."""
    began = timezone.now() - timedelta(seconds=95)
    for (_action, address, *_rest), state in zip(PLAN, ("failed", "running", "done", "done"), strict=False):
        ResourceProgress.objects.create(
            change=change,
            address=address,
            action=_action,
            state=state,
            started_at=began,
            ended_at=None if state == "running" else began + timedelta(seconds=40),
        )


def left_behind(change: Change) -> None:
    """What an apply killed midway leaves: made and in no state, only begun, marked, dismissed."""
    now = timezone.now()
    rows: Sequence[tuple[str, str, str, str]] = (
        (
            "module.database.aws_db_instance.this",
            "triflow-ai-production-db-with-a-rather-long-name",
            "open",
            "",
        ),
        (
            'module.task_roles.aws_iam_role_policy_attachment.this["arn:aws:iam::aws:policy/x"]',
            "",
            "open",
            "",
        ),
        ('module.monitoring.aws_cloudwatch_metric_alarm.this["alarm-1"]', "alarm-1", "importing", ""),
        (
            'module.monitoring.aws_cloudwatch_metric_alarm.this["alarm-2"]',
            "alarm-2",
            "dismissed",
            "Removed by hand.",
        ),
    )
    for address, name, state, reason in rows:
        Leftover.objects.create(
            environment=change.environment,
            change=change,
            address=address,
            type=address.split(".")[2],
            resource_id=name,
            made_at=now - timedelta(minutes=2) if name else None,
            state=state,
            reason=reason,
            settled_by="" if state == "open" else "Olga Operator",
            settled_at=None if state == "open" else now,
        )
        ResourceProgress.objects.create(
            change=change,
            address=address,
            action="create",
            resource_id=name,
            state="done" if name else "running",
            started_at=now - timedelta(minutes=3),
            ended_at=now - timedelta(minutes=2) if name else None,
        )
    ResourceProgress.objects.create(
        change=change, address=PLAN[0][1], action="delete", state="failed", error=ERROR, ended_at=now
    )
    TerraformRun.objects.filter(change=change).update(command="apply", progress={"log": "cut"})


def built(environment: Environment, change: Change) -> None:
    """What an apply leaves: resources, outputs, two state versions, drift since."""
    for n in range(12):
        Resource.objects.create(
            environment=environment,
            address=f'module.service.module.inner.aws_appautoscaling_policy.this["a-rather-long-key-{n}"]',
            type="aws_appautoscaling_policy",
            provider_id=f"service/triflow-ai-production-cluster/triflow-ai-production-backend-service-{n}",
            arn=f"{ARN}-{n}",
        )
    Output.objects.create(environment=environment, name="alb_arn", type="string", value=ARN * 2)
    Output.objects.create(
        environment=environment, name="alarm_arns", type=["map", "string"], value={"a": ARN * 2}
    )
    Output.objects.create(
        environment=environment, name="dotenv", type="string", sensitive=True, value="hidden"
    )
    for number in (1, 2):
        StateVersion.objects.create(
            environment=environment,
            number=number,
            lineage="lineage",
            serial=number,
            resource_count=12,
            size=123_456,
            md5="0" * 32,
            content=STATE % (number, number),
            change=change,
            written_by=f"run {change.uuid}",
        )
    DriftCheck.objects.create(
        environment=environment,
        verdict="drifted",
        count=1,
        rows=[
            {
                "address": PLAN[1][1],
                "action": "update",
                "attributes": [{"path": "allocated_storage", "before": 200, "after": 100, "changed": True}],
            }
        ],
        taken_at=timezone.now() - timedelta(hours=20),
        error="Error: " + ERROR,
        error_at=timezone.now(),
        due_at=None,
    )


STATE = (
    b'{"version": 4, "terraform_version": "1.11.4", "serial": %d, "lineage": "lineage", "outputs": {}, "resources": '
    b'[{"mode": "managed", "type": "terraform_data", "name": "one", "provider": "provider[\\"terraform.io/builtin'
    b'/terraform\\"]", "instances": [{"schema_version": 0, "attributes": {"id": "x", "input": "%d"}}]}]}'
)
