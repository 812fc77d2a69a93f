"""What a backup or a restore refuses, with nothing altered."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction

from environments.models import Definition
from portal import audit
from portal.audit.models import AuditEvent
from portal.backup import postgresql
from portal.backup.errors import BackupError
from portal.core import keyring as rings
from portal.core.clock import now
from portal.core.keyring import new_key_text
from portal.launcher.folder import DataFolder
from portal.scheduler.models import Heartbeat
from tests.cast import by
from tests.portal.backup.conftest import SECRET, database_name, type_

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(filled, admin, tmp_path) -> Path:
    with transaction.atomic():
        audit.record(actor=by(admin).actor(), action="something.done", target=audit.Target("thing", "1"))
    type_("backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    return tmp_path / "backup"


def refused(folder, *words) -> str:
    """The refusal; the log has what it had, and the definition still opens."""
    events = AuditEvent.objects.count()
    with pytest.raises(CommandError) as said:
        type_("restore", folder, "--reason", "a rehearsal", *words)
    assert AuditEvent.objects.count() == events
    return str(said.value)


def replace(folder, *words) -> str:
    return refused(folder, "--replace", database_name(), *words)


def test_a_portal_with_content_is_not_replaced_without_its_name(made):
    assert f"--replace {database_name()}" in refused(made)
    assert "not empty" in refused(made, "--replace", "another.sqlite3")


@pytest.mark.parametrize("kind", ["scheduler", "worker"])
def test_a_running_portal_is_left_alone(made, kind):
    Heartbeat.objects.create(name="host:7", kind=kind, at=now())
    assert "The portal is running (host:7)" in replace(made)


def test_a_launcher_that_has_the_folder_is_left_alone(made, settings, tmp_path):
    # A record lock is a process's own: another process must hold it.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        DataFolder(Path(settings.DATA_DIR)).lock("http://here")
        os.write(writer, b"held")
        os.read(os.pipe()[0], 1)
    try:
        os.read(reader, 4)
        assert "already running here: http://here" in replace(made)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def test_a_key_that_does_not_fit_is_named_before_anything_is_touched(made, tmp_path):
    other = tmp_path / "other keys"
    other.write_text(new_key_text("k1"))
    assert "its key “k1” is missing or another one" in replace(made, "--keys", other)
    other.write_text(new_key_text("k9"))
    assert "does not fit this backup" in replace(made, "--keys", other)
    assert Definition.objects.get().sensitive == {"password": SECRET}


def test_without_any_key_none_is_made_up(made, settings, tmp_path):
    settings.GATEHOUSE_KEYRING_FILE = tmp_path / "elsewhere" / "keyring"
    rings.forget()
    with pytest.raises(CommandError, match="--keys FILE"):
        type_("restore", made, "--reason", "x", "--replace", database_name())
    assert not settings.GATEHOUSE_KEYRING_FILE.exists()
    type_("restore", made, "--reason", "x", "--replace", database_name(), "--keys", tmp_path / "keys")
    assert Definition.objects.get().sensitive == {"password": SECRET}
    assert settings.GATEHOUSE_KEYRING_FILE.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_found(made):
    database = next(made.glob("gatehouse.*"))
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    assert "damaged" in replace(made)
    database.unlink()
    assert "missing" in replace(made)


def test_an_altered_manifest_is_found(made):
    path = made / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "created_at": "2020-01-01T00:00:00+00:00"}))
    assert "was altered" in replace(made)
    path.write_text(json.dumps({**values, "format": 9}))
    assert "format" in replace(made)
    path.write_text("{")
    assert "cannot be read" in replace(made)
    path.unlink()
    assert "is no backup" in replace(made)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("engine", "oracle", "this portal uses"),
        ("migrations", ["runs.0999_of_next_year"], "newer Gatehouse"),
        ("files", {"../keys": {"sha256": "0", "size": 1}}, "not whole"),
    ],
)
def test_a_backup_that_does_not_fit_this_program_is_refused(made, field, value, word):
    from portal.backup import manifest

    values = {**vars(manifest.read(made)), field: value, "signature": ""}
    manifest.write(made, manifest.Manifest(**values), rings.keyring())
    assert word in replace(made)


def test_a_history_that_was_signed_otherwise_is_refused(made, settings):
    """The log of the backup is not the one whose heads lie here: somebody's forgery, or another portal's."""
    from portal.audit import checkpoints

    checkpoints.append("portal", 1, "f" * 64)
    with pytest.raises(CommandError, match="does not agree with the checkpoints"):
        type_("restore", made, "--reason", "x", "--replace", database_name())


def test_a_backup_goes_into_a_folder_of_its_own_and_its_keys_elsewhere(filled, made, tmp_path):
    for words, said in [
        ([made], "not empty"),
        ([tmp_path / "keys"], "not empty"),
        ([tmp_path / "next", "--keys", tmp_path / "next" / "keys"], "must not lie in the backup"),
        ([tmp_path / "next", "--keys", tmp_path / "keys"], "exists already"),
    ]:
        with pytest.raises(CommandError, match=said):
            type_("backup", *words)
    assert not (tmp_path / "next").exists()


def test_a_value_that_its_key_does_not_open_ends_the_backup(filled, tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("SELECT sensitive FROM environments_definition")
        token = bytearray(bytes(cursor.fetchone()[0]))
        token[-1] ^= 1
        cursor.execute("UPDATE environments_definition SET sensitive = %s", [bytes(token)])
    with pytest.raises(CommandError, match="cannot be decrypted"):
        type_("backup", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def client_program(folder: Path, name: str, version: int) -> None:
    path = folder / name
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "{name} (PostgreSQL) {version}.3" && exit\n'
        f'echo "$@" > {folder}/words; env > {folder}/env\n'
    )
    path.chmod(0o755)


def test_a_client_older_than_the_server_or_none_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(postgresql, "server_version", lambda: 16)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    client_program(tmp_path, "pg_dump", 15)
    with pytest.raises(BackupError, match="of version 15, the server of 16"):
        postgresql.program("pg_dump")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    with pytest.raises(BackupError, match="not on PATH"):
        postgresql.program("pg_dump")


def test_the_password_stands_in_no_command_line(monkeypatch, tmp_path):
    monkeypatch.setattr(postgresql, "server_version", lambda: 16)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    client_program(tmp_path, "pg_dump", 17)
    known = {**connection.settings_dict, "PASSWORD": "never shown 73", "USER": "gatehouse", "NAME": "it"}
    monkeypatch.setattr(postgresql, "connection", SimpleNamespace(settings_dict=known))
    (tmp_path / "target").touch()
    postgresql.dump(tmp_path / "target", "0-1", lambda text: None)
    assert "never shown" not in (tmp_path / "words").read_text()
    assert "--exclude-table-data=django_session" in (tmp_path / "words").read_text()
    assert "PGPASSWORD=never shown 73" in (tmp_path / "env").read_text()
