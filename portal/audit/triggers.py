"""The database's own refusal to alter the log, on SQLite and PostgreSQL.

Against mistakes and against whoever has the application's access. Whoever can drop triggers is found
by the hashes and the signed checkpoints (verification.py).
"""

# ruff: noqa: S608 - the statements are made of constants of this file

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

EVENTS, HEADS = "audit_auditevent", "audit_chainhead"
REFUSAL = "audit events are append-only"

SQLITE = {
    "audit_no_update": f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON {EVENTS} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "audit_no_delete": f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON {EVENTS} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE removes the old row without asking the delete trigger.
    "audit_no_replace": f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON {EVENTS} "
    f"WHEN EXISTS (SELECT 1 FROM {EVENTS} WHERE id = NEW.id) "
    f"OR EXISTS (SELECT 1 FROM {EVENTS} WHERE uuid = NEW.uuid) "
    f"OR EXISTS (SELECT 1 FROM {EVENTS} WHERE chain = NEW.chain AND sequence = NEW.sequence) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "audit_head_forward": f"CREATE TRIGGER audit_head_forward BEFORE UPDATE ON {HEADS} "
    "WHEN NEW.chain <> OLD.chain OR NEW.sequence NOT IN (OLD.sequence, OLD.sequence + 1) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "audit_head_kept": f"CREATE TRIGGER audit_head_kept BEFORE DELETE ON {HEADS} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
}

# Class 23 (integrity) so that both databases raise IntegrityError.
_RAISE = f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';"
FUNCTIONS = {
    "audit_refuse": f"BEGIN {_RAISE} END",
    "audit_head_moves": "BEGIN IF NEW.chain <> OLD.chain "
    "OR NEW.sequence NOT IN (OLD.sequence, OLD.sequence + 1) "
    f"THEN {_RAISE} END IF; RETURN NEW; END",
}
# name -> (table, when, function)
POSTGRESQL = {
    "audit_no_change": (EVENTS, "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "audit_refuse"),
    "audit_head_forward": (HEADS, "BEFORE UPDATE", "ROW", "audit_head_moves"),
    "audit_head_kept": (HEADS, "BEFORE DELETE OR TRUNCATE", "STATEMENT", "audit_refuse"),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place (again); does nothing while the tables are not there."""
    if not {EVENTS, HEADS} <= set(connection.introspection.table_names()) or not missing(connection):
        return
    drop(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in SQLITE.values():
                cursor.execute(statement)
        else:
            _install_postgresql(cursor)


def _install_postgresql(cursor: Any) -> None:
    for name, body in FUNCTIONS.items():
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
        )
    for name, (table, when, level, function) in POSTGRESQL.items():
        cursor.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
        # Also while session_replication_role is "replica".
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Take them away: only to put them in anew, and for the tests' flush."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for name, (table, *_rest) in POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that are absent, switched off, or no longer say what they should."""
    if EVENTS not in connection.introspection.table_names():
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            present = dict(cursor.fetchall())
            return [name for name, statement in SQLITE.items() if present.get(name) != statement]
        cursor.execute(
            "SELECT t.tgname, c.relname, t.tgenabled, p.proname, p.prosrc, pg_get_triggerdef(t.oid) "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        )
        return _missing_postgresql({row[0]: tuple(row[1:]) for row in cursor.fetchall()})


def _missing_postgresql(present: dict[str, tuple[str, ...]]) -> list[str]:
    absent = []
    for name, (table, when, level, function) in POSTGRESQL.items():
        *facts, definition = present.get(name, ("",))
        # PostgreSQL writes the events in an order of its own.
        events = [*when.removeprefix("BEFORE ").split(" OR "), "BEFORE", f"FOR EACH {level}"]
        as_installed = facts == [table, "A", function, FUNCTIONS[function]]
        if not as_installed or " WHEN " in definition or any(word not in definition for word in events):
            absent.append(name)
    return absent
