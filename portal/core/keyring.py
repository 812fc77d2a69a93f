"""Keys outside the database: encryption, signatures and fingerprints.

A keyring is a list "id:base64key,id:base64key" of 32-byte keys. The first encrypts and signs, all
decrypt and verify: to rotate, put a new key in front, run rotate_keys, then let the old key retire.
Two more kinds of entry hold no key that opens anything: "fingerprint:..." keeps equal secrets equal over
rotations, "retired.ID:..." verifies what the key ID once signed.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
FINGERPRINT, RETIRED = "fingerprint", "retired."


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
        self.signing = _derive(key, b"sign")
        self.fingerprinting = _derive(key, b"fingerprint")


def _hmac(key: bytes, data: bytes) -> str:
    return hmac.new(key, data, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Keyring:
    """Keys in order: the first is the active one. `retired` has what verifies the signatures of keys that went."""

    keys: tuple[Key, ...]
    retired: Mapping[str, bytes] = field(default_factory=dict)
    fingerprinting: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """From "id:base64key,..."; raises ImproperlyConfigured without showing any key."""
        keys: list[Key] = []
        retired: dict[str, bytes] = {}
        fingerprinting = None
        found = entries(text)
        for key_id, key in found:
            if key_id == FINGERPRINT:
                fingerprinting = key
            elif key_id.startswith(RETIRED):
                retired[key_id.removeprefix(RETIRED)] = key
            else:
                keys.append(Key(key_id, key))
        if not keys:
            raise ImproperlyConfigured("The keyring is empty")
        if len({key_id for key_id, _key in found}) != len(found) or retired.keys() & {key.id for key in keys}:
            raise ImproperlyConfigured("Two keys of the keyring have the same id")
        return cls(tuple(keys), retired, fingerprinting)

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
        return f"{self.keys[0].id}.{_hmac(self.keys[0].signing, data)}"

    def verify(self, data: bytes, signature: str) -> bool:
        """Whether a key of the ring signed this data."""
        key_id, _, given = signature.partition(".")
        key = self._key(key_id)
        signing = key.signing if key is not None else self.retired.get(key_id)
        return signing is not None and hmac.compare_digest(_hmac(signing, data).encode(), given.encode())

    def fingerprint(self, data: bytes, *, context: str) -> str:
        """HMAC-SHA256 (hex) of a secret: equal secrets compare equal, and nobody can guess from it.

        Under the entry "fingerprint", or, without one, under the oldest key: a key put in front changes nothing,
        and votes given and webhook secrets handed out stay good over a rotation.
        """
        prefix = context.encode()
        key = self.fingerprinting or self.keys[-1].fingerprinting
        return _hmac(key, len(prefix).to_bytes(4, "big") + prefix + data)

    def _key(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.id == key_id), None)


def entries(text: str) -> list[tuple[str, bytes]]:
    """(id, key) of each entry; raises ImproperlyConfigured without showing any key."""
    found = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,\n]", text))):
        key_id, colon, encoded = part.partition(":")
        if not colon or not KEY_ID.fullmatch(key_id.removeprefix(RETIRED)):
            raise ImproperlyConfigured("The keyring must read id:base64key,id:base64key")
        try:
            key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise ImproperlyConfigured(f"Key {key_id} of the keyring is not base64") from None
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured(f"Key {key_id} of the keyring must have {KEY_BYTES} bytes")
        found.append((key_id, key))
    return found


def retire_old_keys(text: str) -> str:
    """The keyring with only its first key left to open anything: for when nothing is encrypted with the others.

    The others stay as "retired" entries, so that what they signed can still be verified, and the fingerprints
    stay what they were.
    """
    ring = Keyring.parse(text)
    active = next(key for key_id, key in entries(text) if key_id == ring.keys[0].id)
    retired = {**{key.id: key.signing for key in ring.keys[1:]}, **ring.retired}
    kept = {
        ring.keys[0].id: active,
        **{f"{RETIRED}{key_id}": key for key_id, key in retired.items()},
        FINGERPRINT: ring.fingerprinting or ring.keys[-1].fingerprinting,
    }
    return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in kept.items())


def new_key_text(key_id: str) -> str:
    """A fresh entry "id:base64key" for the keyring."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


@lru_cache(maxsize=8)
def _load(text: str, path: Path, _seen: tuple[int, ...]) -> Keyring:
    return Keyring.parse(text or _read_or_create(path, lambda: new_key_text("k1")))


def keyring() -> Keyring:
    """The portal's keyring, from GATEHOUSE_KEYRING or the file GATEHOUSE_KEYRING_FILE.

    A file that was altered is read anew at once, so that a key can be added while the portal runs.
    """
    from django.conf import settings

    path = Path(settings.GATEHOUSE_KEYRING_FILE)
    seen: tuple[int, ...] = ()
    if not settings.GATEHOUSE_KEYRING and path.exists():
        found = path.stat()
        seen = (found.st_mtime_ns, found.st_size, found.st_ino)
    return _load(settings.GATEHOUSE_KEYRING, path, seen)


def forget() -> None:
    """Read the keyring anew at its next use: after a restore has put another in its place."""
    _load.cache_clear()
