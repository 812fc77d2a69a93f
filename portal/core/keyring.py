"""Keys outside the database: encryption, signatures and fingerprints.

A keyring is a list "id:base64key,id:base64key" of 32-byte keys. The first encrypts and signs, all
decrypt and verify: to rotate, put a new key in front, save the old rows again, then drop the old key.
Imported by settings.py, so nothing here may read settings at import time.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class DecryptionError(Exception):
    """The token is damaged, belongs to another place, or its key is not in the keyring."""


def read_or_create_secret(path: Path) -> str:
    """The secret in a file of mode 0600, made at the first call.

    Two processes that start at once get the same secret: the file appears complete or not at all, and
    the one that comes second reads the first's.
    """
    return _read_or_create(path, lambda: secrets.token_urlsafe(50))


def _read_or_create(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        # Private: the embedded database comes to lie in the same folder.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            # A hard link fails when the name exists, where a rename would replace the other's secret.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    text = path.read_text().strip()
    if not text:
        raise ImproperlyConfigured(f"{path} is empty; restore it from a backup")
    return text


def _derive(key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each use, so that a weakness of one cannot reach another."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"gatehouse " + purpose).derive(key)


class Key:
    """One key of the ring, split by purpose."""

    def __init__(self, key_id: str, key: bytes) -> None:
        self.id = key_id
        self.cipher = AESGCM(_derive(key, b"encrypt"))
        self._sign = _derive(key, b"sign")
        self._fingerprint = _derive(key, b"fingerprint")

    def signature(self, data: bytes) -> str:
        return hmac.new(self._sign, data, hashlib.sha256).hexdigest()

    def fingerprint(self, data: bytes) -> str:
        return hmac.new(self._fingerprint, data, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Keyring:
    """Keys in order: the first is the active one."""

    keys: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """From "id:base64key,..."; raises ImproperlyConfigured without showing any key."""
        keys = []
        for part in filter(None, (piece.strip() for piece in re.split(r"[,\n]", text))):
            key_id, colon, encoded = part.partition(":")
            if not colon or not KEY_ID.fullmatch(key_id):
                raise ImproperlyConfigured("The keyring must read id:base64key,id:base64key")
            try:
                key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
            except (binascii.Error, ValueError):
                raise ImproperlyConfigured(f"Key {key_id} of the keyring is not base64") from None
            if len(key) != KEY_BYTES:
                raise ImproperlyConfigured(f"Key {key_id} of the keyring must have {KEY_BYTES} bytes")
            keys.append(Key(key_id, key))
        if not keys:
            raise ImproperlyConfigured("The keyring is empty")
        if len({key.id for key in keys}) != len(keys):
            raise ImproperlyConfigured("Two keys of the keyring have the same id")
        return cls(tuple(keys))

    def encrypt(self, data: bytes, *, context: str) -> bytes:
        """AES-256-GCM under the active key.

        `context` says where the token belongs ("table.column"): it must be the same at decryption, so a
        token copied to another column cannot be read there.
        """
        key = self.keys[0]
        header = FORMAT + bytes([len(key.id)]) + key.id.encode()
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + key.cipher.encrypt(nonce, data, header + context.encode())

    def decrypt(self, token: bytes, *, context: str) -> bytes:
        """The data of a token; raises DecryptionError."""
        end = 2 + (token[1] if len(token) > 1 else 0)
        header, nonce, sealed = token[:end], token[end : end + NONCE_BYTES], token[end + NONCE_BYTES :]
        if header[:1] != FORMAT or len(nonce) != NONCE_BYTES:
            raise DecryptionError("This is not a token of the keyring")
        key = self._key(header[2:].decode("ascii", "replace"))
        if key is None:
            raise DecryptionError(f"Key {header[2:]!r} is not in the keyring")
        try:
            return key.cipher.decrypt(nonce, sealed, header + context.encode())
        except InvalidTag:
            raise DecryptionError(f"The token was altered, or does not belong to {context}") from None

    def is_current(self, token: bytes) -> bool:
        """Whether the token was made with the active key (else: save the row again to rotate)."""
        key_id = self.keys[0].id.encode()
        return token[: 2 + len(key_id)] == FORMAT + bytes([len(key_id)]) + key_id

    def sign(self, data: bytes) -> str:
        """A signature "keyid.hex" (HMAC-SHA256) that `verify` accepts as long as the key is in the ring."""
        return f"{self.keys[0].id}.{self.keys[0].signature(data)}"

    def verify(self, data: bytes, signature: str) -> bool:
        """Whether a key of the ring signed this data."""
        key_id, _, given = signature.partition(".")
        key = self._key(key_id)
        return key is not None and hmac.compare_digest(key.signature(data).encode(), given.encode())

    def fingerprint(self, data: bytes, *, context: str) -> str:
        """HMAC-SHA256 (hex) of a secret: equal secrets compare equal, and nobody can guess from it.

        Bound to the active key: after a rotation equal secrets look changed once.
        """
        prefix = context.encode()
        return self.keys[0].fingerprint(len(prefix).to_bytes(4, "big") + prefix + data)

    def _key(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.id == key_id), None)


def new_key_text(key_id: str) -> str:
    """A fresh entry "id:base64key" for the keyring."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


@lru_cache(maxsize=8)
def _load(text: str, path: Path) -> Keyring:
    return Keyring.parse(text or _read_or_create(path, lambda: new_key_text("k1")))


def keyring() -> Keyring:
    """The portal's keyring, from GATEHOUSE_KEYRING or the file GATEHOUSE_KEYRING_FILE."""
    from django.conf import settings

    return _load(settings.GATEHOUSE_KEYRING, Path(settings.GATEHOUSE_KEYRING_FILE))


def forget() -> None:
    """Read the keyring anew at its next use: after a restore has put another in its place."""
    _load.cache_clear()
