"""The keys of a backup: written apart from it, and asked whether they fit before anything is touched."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from portal.backup.errors import BackupError, Say
from portal.core import keyring as rings
from portal.core.clock import local_now
from portal.core.keyring import DecryptionError, Keyring

if TYPE_CHECKING:
    from portal.backup.manifest import Manifest

CONTEXT = "backup.key"
WORD = b"gatehouse"


def text_of_keyring() -> str:
    """The keyring as it is configured: the very text that opens everything."""
    given: str = settings.GATEHOUSE_KEYRING
    rings.keyring()
    return given or Path(settings.GATEHOUSE_KEYRING_FILE).read_text().strip()


def write_keys(path: Path, *, apart_from: Path) -> None:
    """Write the keyring to a new file of mode 0600. Refuses a place inside the backup, and to overwrite."""
    if path.resolve().is_relative_to(apart_from.resolve()):
        raise BackupError("The keys must not lie in the backup they open: name another place.")
    try:
        _write_new(path, text_of_keyring())
    except FileExistsError:
        raise BackupError(f"{path} exists already; keys are not written over anything.") from None


def key_words(ring: Keyring, used: list[str]) -> dict[str, str]:
    """For each key that some row needs: a word under it, by which a restore knows the key again."""
    return {
        key.id: base64.b64encode(Keyring((key,)).encrypt(WORD, context=CONTEXT)).decode()
        for key in ring.keys
        if key.id in used or key is ring.keys[0]
    }


def check_keys(manifest: Manifest, ring: Keyring) -> None:
    """Raise BackupError, naming the key, unless the keyring opens everything the backup holds."""
    for key_id, word in sorted(manifest.keys.items()):
        try:
            fits = ring.decrypt(base64.b64decode(word), context=CONTEXT) == WORD
        except (DecryptionError, ValueError):
            fits = False
        if not fits:
            raise BackupError(
                f"The keyring does not fit this backup: its key “{key_id}” is missing or another one of the "
                "same name. Nothing was touched. Give the keys that were written beside it (--keys FILE)."
            )


def ring_for_restore(keys: Path | None) -> Keyring:
    """The keyring to restore with: of the file given, else the configured one; none is ever made here."""
    if keys is not None:
        try:
            return Keyring.parse(keys.read_text())
        except OSError as unreadable:
            raise BackupError(f"The keys cannot be read: {unreadable}") from unreadable
    if not settings.GATEHOUSE_KEYRING and not Path(settings.GATEHOUSE_KEYRING_FILE).exists():
        raise BackupError("There is no keyring here yet: give the backup's own with --keys FILE.")
    return rings.keyring()


@contextmanager
def installed(keys: Path, manifest: Manifest, say: Say) -> Iterator[None]:
    """Make the given keys the portal's own; when the block fails, those that were there are put back.

    Keys that come from the environment are not ours to write: those must fit by themselves.
    """
    place = Path(settings.GATEHOUSE_KEYRING_FILE)
    text = keys.read_text().strip()
    if settings.GATEHOUSE_KEYRING:
        check_keys(manifest, rings.keyring())
        say("The keyring of GATEHOUSE_KEYRING fits and stays.")
        yield
        return
    if place.exists() and place.read_text().strip() == text:
        yield
        return
    aside = place.with_name(f"{place.name}.before-restore-{local_now():%Y%m%d%H%M%S}")
    if place.exists():
        place.rename(aside)
        say(f"The keyring that was here is now {aside}.")
    _write_new(place, text)
    rings.forget()
    try:
        yield
    except BaseException:
        place.unlink()
        if aside.exists():
            aside.rename(place)
        rings.forget()
        raise
    say(f"The keyring was written to {place}.")


def _write_new(place: Path, text: str) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
