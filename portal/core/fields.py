"""Model fields whose column holds ciphertext, and one that holds canonical JSON.

Encrypted content is compressed, then encrypted with the active key of the keyring and bound to its
"table.column"; a row is re-encrypted whenever it is saved. The column cannot be searched.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.core.canonical import canonical_json, plain
from portal.core.keyring import keyring

# What may be assigned and what is read: the type checker fills them in, null or not.
_ST = TypeVar("_ST", contravariant=True)
_GT = TypeVar("_GT", covariant=True)

if TYPE_CHECKING:

    class _Field(models.Field[_ST, _GT]):
        pass

else:

    class _Field(models.Field):
        def __class_getitem__(cls, _item: Any) -> type:
            return cls


def canonical_text(value: Any) -> str | None:
    """What a CanonicalJSONField stores for a value."""
    return None if value is None else canonical_json(value).decode()


class CanonicalJSONField(_Field[_ST, _GT]):
    """JSON kept as its canonical text, for what is hashed.

    A database's own JSON type may spell a number anew (1e22, -0.0), and the hash would no longer match.
    """

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any
    empty_strings_allowed = False

    def get_internal_type(self) -> str:
        return "TextField"

    def get_prep_value(self, value: Any) -> Any:
        return canonical_text(value)

    def from_db_value(self, value: Any, _expression: Any, _connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else json.loads(value)


class EncryptedField(_Field[_ST, _GT]):
    """Base: subclasses say how a value becomes bytes and back."""

    empty_strings_allowed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def to_bytes(self, value: Any) -> bytes:
        raise NotImplementedError

    def from_bytes(self, data: bytes) -> Any:
        raise NotImplementedError

    @property
    def context(self) -> str:
        """Where a token of this column belongs; renaming table or column needs a data migration."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_internal_type(self) -> str:
        return "BinaryField"

    def get_prep_value(self, value: Any) -> Any:
        if value is None:
            return None
        return keyring().encrypt(zlib.compress(self.to_bytes(value)), context=self.context)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        value = super().get_db_prep_value(value, connection, prepared)
        return None if value is None else connection.Database.Binary(value)  # type: ignore[attr-defined]

    def from_db_value(self, value: Any, _expression: Any, _connection: BaseDatabaseWrapper) -> Any:
        if value is None:
            return None
        return self.from_bytes(zlib.decompress(keyring().decrypt(bytes(value), context=self.context)))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            # Every encryption of a value differs: a comparison would silently find nothing.
            raise FieldError(f"{self.context} is encrypted and cannot be searched")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.context} is encrypted and not for dumpdata; back up the database instead")


class EncryptedBinaryField(EncryptedField[_ST, _GT]):
    """Bytes, encrypted at rest."""

    _pyi_private_set_type: bytes
    _pyi_private_get_type: bytes

    def to_bytes(self, value: bytes) -> bytes:
        return bytes(value)

    def from_bytes(self, data: bytes) -> bytes:
        return data


class EncryptedTextField(EncryptedField[_ST, _GT]):
    """Text, encrypted at rest."""

    _pyi_private_set_type: str
    _pyi_private_get_type: str
    empty_strings_allowed = True

    def to_bytes(self, value: str) -> bytes:
        return value.encode("utf-8", "surrogatepass")

    def from_bytes(self, data: bytes) -> str:
        return data.decode("utf-8", "surrogatepass")


class EncryptedJSONField(EncryptedField[_ST, _GT]):
    """A JSON value, encrypted at rest. Keys keep their order; times and decimals as in canonical.py."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_bytes(self, value: Any) -> bytes:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=plain)
        return text.encode("utf-8", "surrogatepass")

    def from_bytes(self, data: bytes) -> Any:
        return json.loads(data)
