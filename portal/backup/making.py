"""Making a backup while the portal runs, and proving it before anybody relies on it."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from portal import audit
from portal.audit import checkpoints
from portal.backup import facts, keys, manifest, postgresql, sqlite
from portal.backup.errors import BackupError, Say
from portal.backup.manifest import Manifest
from portal.core.clock import local_now
from portal.core.keyring import keyring

CHECKPOINTS = "audit-checkpoints"


def backup(folder: Path, *, keys_file: Path | None, say: Say) -> Manifest:
    """Write a backup into a new or empty folder, check it, and leave nothing behind when it is not good.

    Raises BackupError. The database may be written to meanwhile: the copy is of one moment.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} exists and is not empty: a backup goes into a folder of its own.")
    if keys_file is not None:
        keys.write_keys(keys_file, apart_from=folder)
    made = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        done = _fill(folder, say)
        say("checking what was written")
        manifest.check(folder, manifest.read(folder), keyring())
    except BaseException:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if made:
            folder.rmdir()
        raise
    _record(folder, done, keys_file)
    return done


def _record(folder: Path, done: Manifest, keys_file: Path | None) -> None:
    """Who took a copy of everything, and whether with the keys, is on the record like any other act."""
    with transaction.atomic():
        audit.record(
            actor=audit.Actor(id="", name=f"{getpass.getuser()} at the command line", kind="system"),
            action="portal.backup",
            target=audit.Target("portal", "portal", "Gatehouse"),
            after={
                "folder": str(folder),
                "files": {name: known["sha256"] for name, known in done.files.items()},
                "with_keys": keys_file is not None,
            },
        )


def _fill(folder: Path, say: Say) -> Manifest:
    # First the database, then the checkpoints: those may know more than the copy, never less.
    with _copied(folder, say):
        say("asking the copy what it holds")
        used, orphaned = facts.keys_in_use(keyring())
        for place, number in orphaned.items():
            say(f"WARNING: {number} values of {place} are of a key that is no longer in the keyring")
        say(f"{facts.open_a_sample(orphaned)} rows decrypted as a sample")
        draft = Manifest(
            created_at=local_now().isoformat(timespec="seconds"),
            version=manifest.program_version(),
            engine=connection.vendor,
            engine_version=_engine_version(),
            migrations=facts.migrations(),
            counts=facts.counts(),
            audit=facts.heads(),
            checkpoints={},
            states=facts.states(),
            keys=keys.key_words(keyring(), used),
        )
    names = [sqlite.FILE if connection.vendor == "sqlite" else postgresql.FILE, *_copy_checkpoints(folder)]
    fields = {**vars(draft), "checkpoints": _positions(), "files": manifest.described(folder, names)}
    return manifest.write(folder, Manifest(**fields), keyring())


@contextmanager
def _copied(folder: Path, say: Say) -> Iterator[None]:
    """Copy and check the database; inside the block Django's connection sees exactly what was copied."""
    if connection.vendor == "sqlite":
        target = folder / sqlite.FILE
        target.touch(mode=0o600)
        sqlite.dump(target, say)
        sqlite.check(target)
        with sqlite.connected_to(target):
            yield
        return
    target = folder / postgresql.FILE
    with postgresql.one_moment() as snapshot:
        postgresql.dump(target, snapshot, say)
        postgresql.check(target, list(facts.counts()))
        yield


def _engine_version() -> str:
    if connection.vendor == "sqlite":
        import sqlite3

        return sqlite3.sqlite_version
    return str(postgresql.server_version())


def _copy_checkpoints(folder: Path) -> list[str]:
    """The signed heads beside the copy, for the case that their own place is lost too."""
    source = Path(settings.AUDIT_CHECKPOINT_DIR)
    found = sorted(source.glob(f"*{checkpoints.SUFFIX}"))
    if found:
        (folder / CHECKPOINTS).mkdir(mode=0o700)
    for path in found:
        shutil.copyfile(path, folder / CHECKPOINTS / path.name)
    return [f"{CHECKPOINTS}/{path.name}" for path in found]


def _positions() -> dict[str, dict[str, object]]:
    found = {}
    for chain in checkpoints.known_chains():
        last = checkpoints.last_checkpoint(chain)
        if last is not None:
            found[chain] = {"sequence": last.sequence, "hash": last.hash, "at": last.at}
    return found
