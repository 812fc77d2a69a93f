"""A backup and back again, on whichever database this run has: what returns, and what does not go on."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from environments.changes import execution
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Definition
from environments.runs import credentials
from environments.runs.models import RunCredential, StateLock
from portal.accounts.models import ApiToken
from portal.accounts.principals import worker
from portal.audit import checkpoints, triggers
from portal.audit.models import AuditEvent, ChainHead
from portal.audit.verification import verify
from portal.core.keyring import keyring
from tests.cast import by
from tests.environments.changes.conftest import ask_for, step
from tests.portal.backup.conftest import SECRET, database_name, type_, version

pytestmark = pytest.mark.django_db(transaction=True)


def restore(folder, *words):
    return type_("restore", folder, "--reason", "a rehearsal", "--replace", database_name(), *words)


def every_byte(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_was_there_comes_back_and_what_came_after_is_named(filled, admin, tmp_path):
    before = AuditEvent.objects.count()
    told = type_("backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    assert "WARNING" in told
    assert "opens every secret" in told
    version(filled, 2, serial=2)
    Definition.objects.filter(pk__gt=0)._raw_delete("default")
    with transaction.atomic():
        from portal import audit

        for number in range(5):
            audit.record(
                actor=by(admin).actor(),
                action="something.else",
                target=audit.Target("thing", str(number)),
                tenant=filled.tenant.ref,
            )
    told = restore(tmp_path / "backup")
    assert Definition.objects.get(environment=filled, number=1).sensitive == {"password": SECRET}
    assert list(filled.state_versions.values_list("number", flat=True)) == [1]
    assert not AuditEvent.objects.filter(action="something.else").exists()
    gap = AuditEvent.objects.get(action="audit.gap", chain=filled.tenant.slug)
    assert (gap.after["lost_from"], gap.after["lost_to"]) == (1, 5)
    assert gap.detail.endswith("a rehearsal")
    assert AuditEvent.objects.filter(action="portal.restore", after__contains="backup_of").count() == 1
    assert AuditEvent.objects.count() > before
    report = verify()
    assert report.findings == []
    assert [point.chain for point in report.gaps if point.chain == filled.tenant.slug]
    assert "audit records 1 to 5 are lost" in told


def test_the_database_refuses_again_to_alter_the_log(filled, tmp_path):
    type_("backup", tmp_path / "backup")
    restore(tmp_path / "backup")
    assert triggers.missing(connection) == []
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.update(detail="nothing happened")
    with pytest.raises(DatabaseError), transaction.atomic():
        ChainHead.objects.all().delete()


def test_neither_key_nor_session_is_in_the_backup(filled, admin, client, tmp_path):
    client.force_login(admin)
    session = client.session.session_key
    assert Session.objects.filter(session_key=session).exists()
    type_("backup", tmp_path / "backup")
    content = every_byte(tmp_path / "backup")
    key = (tmp_path / "data" / "keyring").read_text().partition(":")[2].strip()
    for needle in (key, session, SECRET, "id-step"):
        assert needle.encode() not in content
    assert Session.objects.filter(session_key=session).exists()
    assert (tmp_path / "backup" / "manifest.json").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "backup").glob("gatehouse.*"))


def test_nothing_that_was_open_goes_on_by_itself(filled, operator, fake, tmp_path):
    fake.running = None
    waiting, approved = ask_for(filled, operator), step(ask_for(filled, operator))
    running = step(ask_for(filled, operator))
    for change in (approved, running):
        Change.objects.filter(pk=change.pk).update(status=Status.APPROVED, due_at=timezone.now())
    with transaction.atomic():
        Claim.objects.create(change=running, subject="fake:it")
        Change.objects.filter(pk=running.pk).update(
            status=Status.EXECUTING,
            lease_until=timezone.now(),
            fence=7,
            lease_owner={"host": "gone", "pid": 1},
        )
    type_("backup", tmp_path / "backup")
    executed = fake.executed
    told = restore(tmp_path / "backup")
    rows = {change.pk: change for change in Change.objects.all()}
    assert rows[running.pk].status == Status.INTERRUPTED
    assert "made while this was running" in rows[running.pk].error_message
    assert rows[running.pk].fence == 8
    assert not Claim.objects.active().exists()
    assert {rows[waiting.pk].status, rows[approved.pk].status} == {Status.CANCELLED}
    for change in rows.values():
        execution.advance(str(change.uuid), by=worker("another"))
    assert fake.executed == executed
    assert Change.objects.exclude(due_at=None).count() == 0
    assert "1 changes were running then" in told
    assert AuditEvent.objects.filter(action="change.interrupted", target_id=str(running.uuid)).exists()


def test_a_terraform_that_still_runs_keeps_its_claim(filled, operator, fake, tmp_path):
    fake.running = True
    running = step(ask_for(filled, operator))
    Claim.objects.create(change=running, subject="fake:it")
    Change.objects.filter(pk=running.pk).update(status=Status.EXECUTING)
    type_("backup", tmp_path / "backup")
    restore(tmp_path / "backup")
    assert Claim.objects.active().filter(change=running).exists()


def test_every_sign_in_ends_and_every_state_is_in_doubt(filled, admin, client, api, tmp_path):
    machine = api(admin)
    StateLock.objects.create(environment=filled, lock_id="old", holder="run 7")
    type_("backup", tmp_path / "backup")
    client.force_login(admin)
    told = restore(tmp_path / "backup")
    assert Session.objects.count() == 0
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    assert machine.get("/api/v1/tenants/").status_code == 401
    lock = StateLock.objects.get(environment=filled)
    assert lock.change is None
    assert lock.info["Operation"] == "GatehouseRestore"
    assert "run 7 held the lock" in lock.reason
    assert filled.key in told


def test_a_backup_of_an_older_portal_is_brought_up_to_date(filled, tmp_path):
    call_command("migrate", "runs", "0001", verbosity=0)
    try:
        type_("backup", tmp_path / "backup")
    finally:
        call_command("migrate", "runs", verbosity=0)
    restore(tmp_path / "backup")
    assert StateLock.objects.get(environment=filled).held_by is None
    assert triggers.missing(connection) == []
    assert filled.state_versions.get().serial == 1


def test_the_checkpoints_come_back_when_their_place_is_lost_too(filled, admin, settings, tmp_path):
    type_("backup", tmp_path / "an earlier one")
    checkpoints.write_checkpoints()
    type_("backup", tmp_path / "backup")
    settings.AUDIT_CHECKPOINT_DIR = tmp_path / "a new place"
    told = restore(tmp_path / "backup")
    assert "taken from the backup" in told
    assert checkpoints.read("portal")[0]
    assert verify().findings == []


def test_rows_of_an_older_key_need_the_older_key(filled, settings, tmp_path):
    from portal.backup import manifest
    from portal.core.keyring import new_key_text

    old = keyring()
    settings.GATEHOUSE_KEYRING = f"{new_key_text('k2')},{(tmp_path / 'data' / 'keyring').read_text()}"
    type_("backup", tmp_path / "backup")
    assert sorted(manifest.read(tmp_path / "backup").keys) == ["k1", "k2"]
    assert old.keys[0].id == "k1"


def test_no_sign_in_of_a_run_outlives_a_restore(filled, operator, fake, tmp_path):
    change = ask_for(filled, operator)
    credentials.issue(change, fence=1, may_write=True)
    type_("backup", tmp_path / "backup")
    type_("restore", tmp_path / "backup", "--reason", "x", "--replace", database_name())
    assert RunCredential.objects.get().revoked_at is not None
