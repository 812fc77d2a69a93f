"""Looks at services: what is stored, what is kept when AWS says no, who made what runs, and who may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from environments.changes.models import Change
from environments.deployments.models import ServiceCheck, ServiceStatus
from environments.deployments.status import checks, housekeeping
from environments.models import Environment
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.aws import autoscaling, ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from tests.environments.deployments import crafted
from tests.environments.deployments.scene import Place, Scene

SignIn = Callable[[User], Client]


class Ecs:
    """ECS's answers, as boto3 shapes them; `refused` names the operations that AWS refuses. Counts the calls."""

    def __init__(self) -> None:
        self.running = dict.fromkeys(("backend", "worker"), 1)
        self.counts = dict.fromkeys(("backend", "worker"), (2, 2))
        self.refused: set[str] = set()
        self.calls: list[str] = []
        self.gone: set[str] = set()
        self.digest = crafted.OLD
        self.depth = len(connection.savepoint_ids)

    def _called(self, name: str) -> None:
        # AWS is never asked inside a transaction; the test's own does not count.
        assert len(connection.savepoint_ids) == self.depth, name
        self.calls.append(name)
        if name in self.refused:
            raise AwsError(
                f"The permission ecs:{name} is missing: no",
                code="AccessDeniedException",
                permanent=True,
                hint=f"Add ecs:{name} to the policy.",
                action=f"ecs:{name}",
            )

    def describe_services(
        self, access: AccountAccess, cluster: str, arns: Sequence[str]
    ) -> list[dict[str, Any]]:
        self._called("DescribeServices")
        return [self._service(arn) for arn in arns if arn.rpartition("/")[2] not in self.gone]

    def _service(self, arn: str) -> dict[str, Any]:
        name = arn.rpartition("/")[2]
        desired, running = self.counts[name]
        return {
            "serviceArn": arn,
            "status": "ACTIVE",
            "desiredCount": desired,
            "runningCount": running,
            "pendingCount": 0,
            "taskDefinition": crafted.revision(name, self.running[name]),
            "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED"}],
            "currentServiceRevisions": [{"arn": f"{arn}/revision"}],
        }

    def describe_task_definition(self, access: AccountAccess, arn: str) -> dict[str, Any]:
        self._called("DescribeTaskDefinition")
        name = arn.rpartition("production-")[2].partition(":")[0]
        reference = f"registry/{name}:v1@{self.digest}" if self.digest else f"registry/{name}:latest"
        return {"containerDefinitions": [{"name": name, "image": reference}]}

    def describe_service_revisions(self, access: AccountAccess, arns: Sequence[str]) -> list[dict[str, Any]]:
        self._called("DescribeServiceRevisions")
        return [
            {
                "serviceRevisionArn": arn,
                "containerImages": [{"containerName": arn.split("/")[-2], "imageDigest": crafted.NEW}],
            }
            for arn in arns
        ]

    def list_tasks(self, access: AccountAccess, cluster: str, service: str, status: str) -> list[str]:
        self._called("ListTasks")
        return [f"{cluster}/task/{service}"]

    def describe_tasks(
        self, access: AccountAccess, cluster: str, arns: Sequence[str]
    ) -> list[dict[str, Any]]:
        self._called("DescribeTasks")
        return [{"taskArn": arn, "lastStatus": "RUNNING", "startedAt": timezone.now()} for arn in arns]

    def scaling_of(self, access: AccountAccess, cluster: str, service: str) -> autoscaling.Scaling | None:
        self._called("DescribeScalableTargets")
        return autoscaling.Scaling(2, 6)


@pytest.fixture
def aws(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecs]:
    fake = Ecs()
    for name in (
        "describe_services",
        "describe_task_definition",
        "describe_service_revisions",
        "list_tasks",
        "describe_tasks",
    ):
        monkeypatch.setattr(ecs, name, getattr(fake, name))
    monkeypatch.setattr(autoscaling, "scaling_of", fake.scaling_of)
    yield fake


def look(environment: Environment) -> dict[str, ServiceStatus]:
    ServiceCheck.objects.get_or_create(environment=environment)
    checks.check(environment.pk)
    return {row.service: row for row in ServiceStatus.objects.filter(environment=environment)}


def noted(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def test_a_look_in_the_sandbox(scene: Scene, tenant: Any) -> None:
    place: Place = scene.environment(tenant)
    rows = look(place.environment)
    api = place.services["api"]
    row = rows[api.name]
    assert (row.status, row.desired, row.running) == ("ACTIVE", 2, 2)
    assert (row.minimum, row.maximum) == (1, 5)
    assert row.images[api.container]["digest"] == api.digests["v1"]
    assert row.task_definition_arn == api.task_definition_arn
    assert [task["last_status"] for task in row.tasks] == ["RUNNING", "RUNNING"]
    assert {task["digest"] for task in row.tasks} == {api.digests["v1"]}
    assert (row.out_of_band, row.error) == (False, "")
    # Somebody deploys past the portal: the same content, another revision.
    definition = place.client("ecs").describe_task_definition(taskDefinition=api.task_definition_arn)[
        "taskDefinition"
    ]
    made = place.client("ecs").register_task_definition(
        family=definition["family"],
        containerDefinitions=definition["containerDefinitions"],
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=definition["cpu"],
        memory=definition["memory"],
        executionRoleArn=definition["executionRoleArn"],
        taskRoleArn=definition["taskRoleArn"],
    )["taskDefinition"]["taskDefinitionArn"]
    place.client("ecs").update_service(cluster=place.built.cluster_arn, service=api.name, taskDefinition=made)
    row = look(place.environment)[api.name]
    assert row.task_definition_arn == made
    assert row.out_of_band
    assert noted("service.out_of_band") == 1


def test_an_error_stands_beside_the_old_values(production: Environment, aws: Ecs) -> None:
    before = look(production)["backend"]
    aws.refused = {"DescribeServices"}
    aws.running["backend"] = 2
    after = look(production)["backend"]
    assert "ecs:DescribeServices" in after.error
    assert after.error_at is not None
    assert (after.running, after.task_definition_arn, after.taken_at) == (
        before.running,
        before.task_definition_arn,
        before.taken_at,
    )
    aws.refused = set()
    assert look(production)["backend"].error == ""
    assert (noted("service.look_failed"), noted("service.look_restored")) == (2, 2)


@pytest.mark.parametrize(
    ("operation", "lost"),
    [("DescribeTaskDefinition", {"images": {}}), ("DescribeScalableTargets", {}), ("ListTasks", {})],
)
def test_one_refused_part_leaves_the_others(
    production: Environment, aws: Ecs, operation: str, lost: dict[str, Any]
) -> None:
    aws.refused = {operation}
    row = look(production)["backend"]
    assert f"ecs:{operation}" in row.error
    assert (row.running, row.taken_at is not None) == (2, True)
    for name, value in lost.items():
        assert getattr(row, name) == value


def test_the_old_image_is_not_shown_for_a_new_revision(production: Environment, aws: Ecs) -> None:
    look(production)
    aws.running["backend"], aws.refused = 2, {"DescribeTaskDefinition"}
    assert look(production)["backend"].images == {}


def test_an_image_by_tag_is_resolved_to_what_ecs_runs(production: Environment, aws: Ecs) -> None:
    aws.digest = ""
    image = look(production)["backend"].images["backend"]
    assert (image["tag"], image["digest"]) == ("latest", crafted.NEW)


def test_what_did_not_change_is_not_read_again(production: Environment, aws: Ecs) -> None:
    look(production)
    aws.calls.clear()
    look(production)
    # Two services: one call for both, and the scaling of each.
    assert sorted(aws.calls) == ["DescribeScalableTargets", "DescribeScalableTargets", "DescribeServices"]


def test_a_service_that_ecs_does_not_know_is_gone(production: Environment, aws: Ecs) -> None:
    aws.gone = {"backend"}
    row = look(production)["backend"]
    assert (row.status, row.running) == ("MISSING", 0)
    assert not row.out_of_band


def test_missing_tasks_count_from_when_they_were_first_missed(production: Environment, aws: Ecs) -> None:
    aws.counts["backend"] = (2, 1)
    first = look(production)["backend"].short_since
    assert first is not None
    assert look(production)["backend"].short_since == first
    aws.counts["backend"] = (2, 2)
    assert look(production)["backend"].short_since is None


def test_what_terraform_or_a_deployment_made_is_ours(
    production: Environment, operator: User, aws: Ecs
) -> None:
    assert not look(production)["backend"].out_of_band
    # Terraform makes revision 5: the state forgets 1, which still runs.
    production.resources.filter(address__contains='"backend"].aws_ecs_task').update(
        arn=crafted.revision("backend", 5)
    )
    assert not look(production)["backend"].out_of_band
    change: Change = crafted.deployment(production, operator, "executing", "backend")
    change.deployment.parts.update(registered_arn=crafted.revision("backend", 6))
    aws.running["backend"] = 6
    assert not look(production)["backend"].out_of_band
    aws.running["backend"] = 7
    assert look(production)["backend"].out_of_band
    assert noted("service.out_of_band") == 1
    look(production)
    assert noted("service.out_of_band") == 1
    aws.running["backend"] = 1
    assert not look(production)["backend"].out_of_band


def test_going_back_to_what_was_strange_stays_strange(
    production: Environment, operator: User, aws: Ecs
) -> None:
    change = crafted.deployment(production, operator, "failed", "backend")
    strange = crafted.revision("backend", 9)
    change.deployment.parts.update(
        previous_arn=strange, back_arn=strange, registered_arn=crafted.revision("backend", 10)
    )
    aws.running["backend"] = 9
    assert look(production)["backend"].out_of_band


def test_a_service_that_left_the_inventory_leaves_the_list(production: Environment, aws: Ecs) -> None:
    look(production)
    production.resources.filter(address__contains='"worker"').delete()
    assert list(look(production)) == ["backend"]


def test_a_quiet_environment_is_looked_at_less_often(
    production: Environment, operator: User, aws: Ecs, settings: Any
) -> None:
    settings.DEPLOYMENT_STATUS_SECONDS = 60
    look(production)
    assert ServiceCheck.objects.get().interval == 300
    aws.counts["backend"] = (2, 1)
    look(production)
    assert ServiceCheck.objects.get().interval == 60
    aws.counts["backend"] = (2, 2)
    change = crafted.deployment(production, operator, "executing", "backend")
    look(production)
    assert ServiceCheck.objects.get().interval == 60
    Change.objects.filter(pk=change.pk).update(
        status="succeeded", finished_at=timezone.now() - timedelta(hours=2)
    )
    look(production)
    assert ServiceCheck.objects.get().interval == 300


def test_two_workers_do_not_look_at_once(production: Environment, aws: Ecs) -> None:
    ServiceCheck.objects.create(environment=production, lease_until=timezone.now() + timedelta(minutes=1))
    checks.check(production.pk)
    assert aws.calls == []


def test_who_lost_the_lease_writes_nothing(
    production: Environment, aws: Ecs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(access: AccountAccess, cluster: str, arns: Sequence[str]) -> list[dict[str, Any]]:
        ServiceCheck.objects.update(fence=99)
        return []

    monkeypatch.setattr(ecs, "describe_services", overtaken)
    assert look(production) == {}


def test_due_looks_are_sent_once_a_minute(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        housekeeping.current_app, "send_task", lambda name, args, queue: sent.append((name, args, queue))
    )
    housekeeping.send_due()
    housekeeping.send_due()
    assert sent == [("deployments.check_services", [production.pk], "housekeeping")]
    bare = Environment.objects.create(
        tenant=production.tenant, slug="bare", name="bare", account=production.account
    )
    assert not ServiceCheck.objects.filter(environment=bare).exists()


def test_asking_for_a_look(
    production: Environment,
    operator: User,
    viewer: User,
    outsider: User,
    sign_in: SignIn,
) -> None:
    address = "/environments/triflow/production/services/look/"
    crafted.status(production, "backend")
    assert sign_in(operator).get(address).status_code == 405
    assert Client().post(address).status_code == 302
    assert sign_in(outsider).post(address).status_code == 404
    assert sign_in(viewer).post(address).status_code == 403
    assert AuditEvent.objects.filter(action="service.look", outcome="refused").count() == 1
    assert ServiceCheck.objects.get().due_at is None
    for _twice in range(2):
        assert sign_in(operator).post(address).status_code == 302
    assert AuditEvent.objects.filter(action="service.look", outcome="done").count() == 2
    assert ServiceCheck.objects.get().due_at is not None
    assert ServiceStatus.objects.get().tasks_at is None


def test_without_an_account_there_is_nothing_to_look_at(
    production: Environment, operator: User, sign_in: SignIn
) -> None:
    Environment.objects.update(account=None)
    answer = sign_in(operator).post("/environments/triflow/production/services/look/", follow=True)
    assert "no AWS account" in answer.content.decode()
    assert not ServiceCheck.objects.exists()


def test_a_look_asked_for_meanwhile_is_not_forgotten(
    production: Environment, aws: Ecs, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = aws.describe_services

    def asked(access: AccountAccess, cluster: str, arns: Sequence[str]) -> list[dict[str, Any]]:
        checks.look_again(production, tasks=True)
        return honest(access, cluster, arns)

    monkeypatch.setattr(ecs, "describe_services", asked)
    look(production)
    due = ServiceCheck.objects.get().due_at
    assert due is not None
    assert due <= timezone.now()
