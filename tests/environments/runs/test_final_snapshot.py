"""Before a destroy: a last snapshot of every database in the plan, or its recorded refusal."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes import actions, execution
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import AwsAccount, Environment, Resource
from environments.runs import applying, final_snapshots
from environments.runs.kind import TerraformRunKind
from portal.accounts.principals import worker
from portal.audit.models import AuditEvent
from portal.aws.errors import AwsError
from tests.cast import by
from tests.environments.runs.crafted import planned, row

pytestmark = pytest.mark.django_db


class Aws:
    """Answers like RDS: a snapshot takes a few looks until it is available."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.answers = ["creating", "available"]
        self.refusal: AwsError | None = None

    def create_snapshot(self, access: Any, identifier: str, snapshot: str) -> None:
        if self.refusal:
            raise self.refusal
        self.made.append((identifier, snapshot))
        self.looks = list(self.answers)

    def snapshot_status(self, access: Any, snapshot: str) -> str:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def aws(monkeypatch):
    fake = Aws()
    monkeypatch.setattr(final_snapshots, "rds", fake)
    monkeypatch.setattr(final_snapshots, "access_to", lambda account, region: None)
    monkeypatch.setattr(final_snapshots, "POLL_SECONDS", 0)
    return fake


@pytest.fixture
def destroyed(monkeypatch):
    """Changes that reached Terraform's apply; no Terraform runs here."""
    reached: list[int] = []

    def execute(work: Any) -> None:
        final_snapshots.take(work, work.change.terraform_run)
        reached.append(work.change.pk)

    monkeypatch.setattr(applying, "execute", execute)
    monkeypatch.setattr(TerraformRunKind, "base_moved", lambda self, change: None)
    return reached


@pytest.fixture
def place(tenant):
    account = AwsAccount.objects.create(tenant=tenant, name="Main", account_id="123456789012")
    place = Environment.objects.create(
        tenant=tenant,
        slug="staging",
        name="staging",
        environment_class="staging",
        account=account,
        region="eu-west-1",
    )
    for name in ("orders", "users"):
        Resource.objects.create(
            environment=place,
            address=f"aws_db_instance.{name}",
            type="aws_db_instance",
            name=name,
            provider_id=f"db-{name}",
            attributes={"identifier": name},
        )
    return place


def destroy(place, operator, *, mode="destroy", action="delete", **run) -> Change:
    """A destroy of both databases and a bucket, approved and visited by a worker."""
    rows = [
        row("aws_db_instance.orders", action),
        row("aws_db_instance.users", action),
        row("aws_s3_bucket.b", action),
    ]
    change = planned(place, operator, rows, mode=mode, **run)
    Change.objects.filter(pk=change.pk).update(status=Status.APPROVED)
    execution.advance(str(change.uuid), by=worker("test worker"))
    return Change.objects.for_lists().get(pk=change.pk)


def test_every_database_is_snapshotted_and_waited_for(aws, destroyed, place, operator):
    change = destroy(place, operator)
    assert [identifier for identifier, _snapshot in aws.made] == ["orders", "users"]
    assert destroyed == [change.pk]
    kept = change.terraform_run.final_snapshots
    assert [one["database"] for one in kept] == ["aws_db_instance.orders", "aws_db_instance.users"]
    assert [one["snapshot"] for one in kept] == [snapshot for _identifier, snapshot in aws.made]
    assert all("-final-" in one["snapshot"] for one in kept)
    event = AuditEvent.objects.get(action="run.final_snapshot")
    assert event.after["snapshots"] == kept
    assert event.target_id == str(change.uuid)


def test_its_refusal_is_kept_and_recorded(aws, destroyed, place, operator):
    change = destroy(place, operator, skip_final_snapshot=True)
    assert aws.made == []
    assert destroyed == [change.pk]
    event = AuditEvent.objects.get(action="run.skip_final_snapshot")
    assert "aws_db_instance.orders" in event.after["databases"]
    assert not AuditEvent.objects.filter(action="run.final_snapshot").exists()


def test_a_refused_snapshot_destroys_nothing(aws, destroyed, place, operator):
    aws.refusal = AwsError(
        "not allowed", code="AccessDenied", permanent=True, hint="Grant rds:CreateDBSnapshot."
    )
    change = destroy(place, operator)
    assert destroyed == []
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert "nothing was destroyed" in change.error_message
    assert "rds:CreateDBSnapshot" in change.error_hint


def test_a_failed_snapshot_destroys_nothing(aws, destroyed, place, operator):
    aws.answers = ["creating", "failed"]
    change = destroy(place, operator)
    assert (change.status, destroyed) == ("failed", [])


def test_a_snapshot_that_never_ends_destroys_nothing(aws, destroyed, place, operator, settings):
    aws.answers = ["creating"]
    settings.FINAL_SNAPSHOT_TIMEOUT_SECONDS = 0
    change = destroy(place, operator)
    assert (change.status, destroyed) == ("failed", [])


def test_cancel_while_it_waits_destroys_nothing(aws, destroyed, place, operator, monkeypatch):
    aws.answers = ["creating"]
    look = aws.snapshot_status

    def looked(access: Any, snapshot: str) -> str:
        change = Change.objects.for_lists().get()
        if not change.cancel_requested_at:
            actions.cancel(by=by(operator), change=change)
        return look(access, snapshot)

    monkeypatch.setattr(aws, "snapshot_status", looked)
    change = destroy(place, operator)
    assert (change.status, destroyed) == ("cancelled", [])


def test_without_databases_none_is_asked_for(aws, destroyed, place, operator):
    Resource.objects.all().delete()
    change = destroy(place, operator, action="update")
    assert (aws.made, destroyed) == ([], [change.pk])


def test_a_database_that_the_inventory_lacks_is_not_destroyed_unseen(aws, destroyed, place, operator):
    Resource.objects.filter(name="users").delete()
    change = destroy(place, operator)
    assert (change.status, destroyed, aws.made) == ("failed", [], [])
    assert "aws_db_instance.users" in change.error_message


def test_without_an_account_it_stops(aws, destroyed, place, operator):
    place.account = None
    place.save()
    change = destroy(place, operator)
    assert (change.status, destroyed) == ("failed", [])


def test_a_cluster_whose_snapshot_the_portal_cannot_make_is_not_destroyed(aws, destroyed, place, operator):
    change = planned(place, operator, [row("aws_rds_cluster.main", "delete")], mode="destroy")
    Change.objects.filter(pk=change.pk).update(status=Status.APPROVED)
    execution.advance(str(change.uuid), by=worker("test worker"))
    change.refresh_from_db()
    assert destroyed == []
    assert change.status == Status.FAILED
    assert "aws_rds_cluster.main" in change.error_message
