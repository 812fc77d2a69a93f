"""After a new key was put in front of the keyring: encrypt what the old ones still hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from portal.core.fields import EncryptedField
from portal.core.keyring import keyring


def encrypted_columns() -> Iterator[tuple[type[models.Model], list[EncryptedField[Any, Any]]]]:
    """Every model with encrypted columns."""
    for model in apps.get_models():
        fields = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]
        if fields:
            yield model, fields


def rotate(model: type[models.Model], fields: list[EncryptedField[Any, Any]]) -> int:
    """Encrypt anew, with the active key, each row that an older key still holds; returns how many.

    May be stopped and run again. Raises DecryptionError for a row whose key is gone.
    """
    rows = model._base_manager
    names = [field.attname for field in fields]
    changed = 0
    for pk in list(rows.values_list("pk", flat=True)):
        # One row a transaction, locked: a value written meanwhile must not be taken back.
        with transaction.atomic():
            row = rows.select_for_update().only("pk", *names).filter(pk=pk).first()
            if row is not None and not _is_current(model, fields, pk):
                rows.filter(pk=pk).update(**{name: getattr(row, name) for name in names})
                changed += 1
    return changed


def _is_current(model: type[models.Model], fields: list[EncryptedField[Any, Any]], pk: object) -> bool:
    """Whether the active key holds all of the row. Reads the columns themselves, not their values."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    value = model._meta.pk.get_db_prep_value(pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} WHERE {key} = %s", [value])  # noqa: S608 - own names
        tokens = cursor.fetchone()
    return all(token is None or keyring().is_current(bytes(token)) for token in tokens)
