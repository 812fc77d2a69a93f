"""The database itself refuses, and its refusal is proved."""

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from portal.audit import triggers
from portal.audit.models import AuditEvent, ChainHead
from tests.portal.audit.conftest import write

pytestmark = pytest.mark.django_db
REPLACE = (
    "INSERT OR REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent WHERE id = %s",
    "REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent WHERE id = %s",
)


def refused(statement: str, *values: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except IntegrityError as error:
        return triggers.REFUSAL in str(error)
    return False


def test_events_cannot_be_changed_or_removed() -> None:
    event = write()
    assert refused("UPDATE audit_auditevent SET detail = 'x' WHERE id = %s", event.pk)
    assert refused("UPDATE audit_auditevent SET detail = detail")
    assert refused("DELETE FROM audit_auditevent WHERE id = %s", event.pk)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        event.save()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        event.delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(detail="x")
    event.refresh_from_db()
    assert event.detail == ""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE exists in SQLite only")
@pytest.mark.parametrize("statement", REPLACE)
def test_replacing_is_removing(statement: str) -> None:
    assert refused(statement, write().pk)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE exists in SQLite only")
@pytest.mark.parametrize("kept", [{"uuid"}, {"chain", "sequence"}])
def test_replacing_by_any_unique_key_is_refused(kept: set[str]) -> None:
    event = write()
    row = {name: getattr(event, name) for name in ("chain", "sequence", "hash", "previous_hash", "action")}
    row |= {
        "uuid": event.uuid.hex,
        "at": str(event.at),
        "actor_kind": "user",
        "actor_roles": "[]",
        "outcome": "done",
    }
    texts = {
        field.name for field in AuditEvent._meta.concrete_fields if field.blank and not field.primary_key
    }
    row = dict.fromkeys(texts, "") | row
    if "uuid" not in kept:
        row["uuid"] = "0" * 32
    if "chain" not in kept:
        row["chain"] = "other"
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    assert refused(f"REPLACE INTO audit_auditevent ({names}) VALUES ({marks})", *row.values())
    # And the same row, new in every key, is let in: the refusal is about the keys.
    row |= {"uuid": "1" * 32, "chain": "other", "sequence": 99}
    assert not refused(f"REPLACE INTO audit_auditevent ({names}) VALUES ({marks})", *row.values())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="TRUNCATE exists in PostgreSQL only")
def test_truncating_is_removing() -> None:
    write()
    assert refused("TRUNCATE audit_auditevent")
    assert refused("TRUNCATE audit_chainhead")
    # A replica session skips ordinary triggers.
    assert refused("SET LOCAL session_replication_role = replica; DELETE FROM audit_auditevent")


def test_heads_only_move_one_forward() -> None:
    write(), write()
    for statement in (
        "UPDATE audit_chainhead SET sequence = 1",
        "UPDATE audit_chainhead SET sequence = 9",
        "UPDATE audit_chainhead SET chain = 'other'",
        "DELETE FROM audit_chainhead",
    ):
        assert refused(statement), statement
    assert ChainHead.objects.get().sequence == 2


def check() -> list[str]:
    return [message.id for message in checks.run_checks(tags=["database"], databases=["default"])]


def test_the_check_is_silent_while_all_are_there() -> None:
    assert triggers.missing(connection) == []
    assert "audit.E001" not in check()


@pytest.mark.parametrize(
    "name", list(triggers.SQLITE if connection.vendor == "sqlite" else triggers.POSTGRESQL)
)
def test_the_check_misses_each_of_them(name: str) -> None:
    place = "" if connection.vendor == "sqlite" else f" ON {triggers.POSTGRESQL[name][0]}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{place}")
    assert triggers.missing(connection) == [name]
    assert "audit.E001" in check()
    triggers.install(connection)
    assert "audit.E001" not in check()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="for SQLite")
def test_a_trigger_that_does_nothing_is_no_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_no_delete")
        cursor.execute("CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_auditevent BEGIN SELECT 1; END")
    assert triggers.missing(connection) == ["audit_no_delete"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="for PostgreSQL")
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_auditevent DISABLE TRIGGER audit_no_change",
        "ALTER TABLE audit_auditevent ENABLE TRIGGER audit_no_change",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        (
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'"
        ),
        (
            "DROP TRIGGER audit_no_change ON audit_auditevent; CREATE TRIGGER audit_no_change BEFORE DELETE "
            "ON audit_auditevent FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        ),
    ],
)
def test_a_trigger_switched_off_or_emptied_is_no_trigger(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert "audit_no_change" in triggers.missing(connection)
    triggers.install(connection)
    assert triggers.missing(connection) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite rebuilds tables")
def test_a_rebuilt_table_gets_its_triggers_back_with_the_next_migrate() -> None:
    old = AuditEvent._meta.get_field("detail")
    new = models.CharField(max_length=500, blank=True)
    new.set_attributes_from_name("detail")
    new.model = AuditEvent
    with connection.schema_editor() as editor:
        editor.alter_field(AuditEvent, old, new)
    assert "audit_no_update" in triggers.missing(connection)
    with connection.schema_editor() as editor:
        editor.alter_field(AuditEvent, new, old)
    call_command("migrate", verbosity=0, skip_checks=True)
    assert triggers.missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_the_tests_own_flush_leaves_the_triggers_in_place() -> None:
    write()
    call_command("flush", verbosity=0, interactive=False)
    assert not AuditEvent.objects.exists()
    assert triggers.missing(connection) == []
