"""What a backup says about itself, signed: what it holds, of when, and which keys open it."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from portal.backup.errors import BackupError
from portal.core.canonical import canonical_json
from portal.core.keyring import Keyring

NAME = "manifest.json"
FORMAT = 1
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """`files` maps a name to {"sha256", "size"}; `audit` a chain to {"sequence", "hash"}; `states` an
    environment to the state version it had; `keys` a key's id to a word that only this key opens."""

    created_at: str
    version: str
    engine: str
    engine_version: str
    migrations: list[str]
    counts: dict[str, int]
    audit: dict[str, dict[str, Any]]
    checkpoints: dict[str, dict[str, Any]]
    states: dict[str, dict[str, Any]]
    keys: dict[str, str]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: int = FORMAT
    signature: str = ""

    def signed(self) -> bytes:
        """What the signature covers: every other field."""
        fields = asdict(self)
        del fields["signature"]
        return canonical_json(fields)


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def described(folder: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """Hash and size of each file of the backup."""
    return {
        name: {"sha256": sha256_of(folder / name), "size": (folder / name).stat().st_size} for name in names
    }


def write(folder: Path, manifest: Manifest, ring: Keyring) -> Manifest:
    """Sign and store; the folder counts as a backup from here on."""
    made = Manifest(**{**asdict(manifest), "signature": ring.sign(manifest.signed())})
    draft = folder / f"{NAME}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(made), file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NAME)
    return made


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError when this is none, or one of another format."""
    try:
        values = json.loads((folder / NAME).read_text())
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise BackupError(f"{folder / NAME} is of a format that this Gatehouse does not know.")
        return Manifest(**values)
    except FileNotFoundError:
        raise BackupError(f"{folder} is no backup: it has no {NAME}.") from None
    except (OSError, ValueError, TypeError) as wrong:
        raise BackupError(f"{folder / NAME} cannot be read: {wrong}") from wrong


def check(folder: Path, manifest: Manifest, ring: Keyring) -> None:
    """Raise BackupError unless the keys fit, the manifest is as signed and every file is as it says."""
    from portal.backup.keys import check_keys

    check_keys(manifest, ring)
    if not ring.verify(manifest.signed(), manifest.signature):
        raise BackupError("The manifest was altered: it does not have the signature it was written with.")
    for name, known in sorted(manifest.files.items()):
        path = folder / name
        # The name comes from a file that could lie anywhere: it stays inside the folder.
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise BackupError(f"The backup is not whole: {name} is missing.")
        if path.stat().st_size != known["size"] or sha256_of(path) != known["sha256"]:
            raise BackupError(f"The backup is damaged: {name} is not the file that was written.")


def program_version() -> str:
    """The version of this program, as its project file says."""
    try:
        project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())
        return str(project["project"]["version"])
    except (OSError, KeyError, ValueError):
        return "unknown"
