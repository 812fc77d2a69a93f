"""What a database holds, asked through Django's connection: counts, migrations, audit heads, keys in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max, Model

from environments.runs.models import StateVersion
from portal.audit.models import ChainHead
from portal.backup.errors import BackupError
from portal.core.fields import EncryptedField
from portal.core.keyring import DecryptionError, Keyring
from portal.core.rotation import encrypted_columns

# Rows that serve one process or one browser, of no use after a restore, and open sessions are keys.
LEFT_OUT = ("django_session", "portal_cache")
SAMPLE = 3


def counts() -> dict[str, int]:
    """Rows of every table that a backup keeps."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table not in LEFT_OUT:
                cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - own names
                found[table] = int(cursor.fetchone()[0])
    return found


def migrations() -> list[str]:
    """Every applied migration as "app.name"."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def unknown_migrations(applied: list[str]) -> list[str]:
    """Those of them that this program does not have: the backup is of a newer one."""
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations or {}}
    for (app, _name), migration in (loader.disk_migrations or {}).items():
        known |= {f"{app}.{old}" for _app, old in migration.replaces}
    return [name for name in applied if name not in known]


def heads() -> dict[str, dict[str, Any]]:
    """Where each audit chain ends."""
    rows = ChainHead.objects.order_by("chain")
    return {head.chain: {"sequence": head.sequence, "hash": head.hash} for head in rows}


def states() -> dict[str, dict[str, Any]]:
    """The newest state version of each environment, by the environment's key."""
    newest = StateVersion.objects.values("environment").annotate(number=Max("number")).order_by()
    found = {}
    for one in newest:
        wanted = ("number", "serial", "lineage", "md5")
        place = ("environment__tenant__slug", "environment__slug")
        rows = StateVersion.objects.filter(environment=one["environment"], number=one["number"])
        row = rows.values(*wanted, *place).get()
        found[f"{row[place[0]]}.{row[place[1]]}"] = {name: row[name] for name in wanted}
    return found


def _encrypted() -> Iterator[tuple[type[Model], list[EncryptedField[Any, Any]]]]:
    """The encrypted columns that are there: a backup is often made just before the database is migrated."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model, fields in encrypted_columns():
            table = model._meta.db_table
            if table in tables:
                there = {one.name for one in connection.introspection.get_table_description(cursor, table)}
                yield model, [field for field in fields if field.column in there]


def keys_in_use(ring: Keyring) -> tuple[list[str], dict[str, int]]:
    """(ids of the keys some row needs, encrypted values by "table.column" that no key of the ring opens)."""
    quote = connection.ops.quote_name
    headers = {key.id: b"\x01" + bytes([len(key.id)]) + key.id.encode() for key in ring.keys}
    used, orphaned = set(), {}
    with connection.cursor() as cursor:
        for model, fields in list(_encrypted()):
            for field in fields:
                column, table = quote(str(field.column)), quote(model._meta.db_table)
                sums = ", ".join(
                    f"SUM(CASE WHEN substr({column}, 1, {len(header)}) = %s THEN 1 ELSE 0 END)"
                    for header in headers.values()
                )
                query = f"SELECT COUNT({column}), {sums} FROM {table}"  # noqa: S608 - own names
                cursor.execute(query, list(headers.values()))
                total, *found = (int(number or 0) for number in cursor.fetchone())
                used |= {key_id for key_id, number in zip(headers, found, strict=True) if number}
                if total > sum(found):
                    orphaned[field.context] = total - sum(found)
    return sorted(used), orphaned


def open_a_sample(orphaned: dict[str, int]) -> int:
    """Decrypt the newest and the oldest values of every encrypted column; returns how many rows were opened.

    Raises BackupError for a value that its own key does not open: the database is damaged, or the key is
    another one of the same name.
    """
    opened = 0
    for model, fields in list(_encrypted()):
        names = [field.attname for field in fields if field.context not in orphaned]
        if not names:
            continue
        for order in ("-pk", "pk"):
            try:
                opened += len(list(model._base_manager.order_by(order).values_list(*names)[:SAMPLE]))
            except DecryptionError as closed:
                raise BackupError(f"{model._meta.label} cannot be decrypted: {closed}") from closed
    return opened
