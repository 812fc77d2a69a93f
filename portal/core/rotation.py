"""After a new key was put in front of the keyring: encrypt what the old ones still hold, while the portal runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from portal.core.fields import EncryptedField
from portal.core.keyring import FORMAT, keyring

Fields = list[EncryptedField[Any, Any]]
# Told after so many rows.
STEP = 500


def encrypted_columns() -> Iterator[tuple[type[models.Model], Fields]]:
    """Every model with encrypted columns."""
    for model in apps.get_models():
        fields = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]
        if fields:
            yield model, fields


def rotate(
    model: type[models.Model], fields: Fields, *, tell: Callable[[int, int], None] = lambda done, of: None
) -> int:
    """Encrypt anew, with the active key, each row that an older key still holds; returns how many.

    May be stopped and run again: what is done is not looked at twice. `tell` hears how far it is. Raises
    DecryptionError for a row whose key is gone.
    """
    rows = model._base_manager
    names = [field.attname for field in fields]
    waiting = stale(model, fields)
    changed = 0
    for number, pk in enumerate(waiting, start=1):
        # One row a transaction, locked: a value written meanwhile must not be taken back.
        with transaction.atomic():
            row = rows.select_for_update().only("pk", *names).filter(pk=pk).first()
            if row is not None:
                rows.filter(pk=pk).update(**{name: getattr(row, name) for name in names})
                changed += 1
        if number % STEP == 0 or number == len(waiting):
            tell(number, len(waiting))
    return changed


def stale(model: type[models.Model], fields: Fields) -> list[Any]:
    """Primary keys of the rows of which a column is not under the active key: by the key's id in its first bytes."""
    quote = connection.ops.quote_name
    key_id = keyring().keys[0].id.encode()
    header = FORMAT + bytes([len(key_id)]) + key_id
    columns = [quote(str(field.column)) for field in fields]
    where = " OR ".join(f"({name} IS NOT NULL AND substr({name}, 1, %s) <> %s)" for name in columns)
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    parameters = [value for _name in columns for value in (len(header), header)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key} FROM {table} WHERE {where} ORDER BY {key}", parameters)  # noqa: S608 - own names
        return [model._meta.pk.to_python(pk) for (pk,) in cursor.fetchall()]
