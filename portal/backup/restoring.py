"""Restoring a backup: everything is asked before anything is touched, and nothing runs by itself afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connection

from portal.audit import checkpoints, verification
from portal.audit.checkpoints import CheckpointError
from portal.backup import aftermath, facts, keys, manifest, postgresql, sqlite
from portal.backup.errors import BackupError, Say
from portal.backup.making import CHECKPOINTS
from portal.backup.manifest import Manifest
from portal.launcher.errors import Stop
from portal.launcher.folder import DataFolder
from portal.scheduler.models import Heartbeat

# A process that reported within this time is running.
ALIVE_SECONDS = 20


@dataclass(frozen=True)
class Done:
    """What a restore did: the backup it came from and what became of what was open then."""

    manifest: Manifest
    after: aftermath.Aftermath


def restore(folder: Path, *, keys_file: Path | None, replace: str, reason: str, say: Say) -> Done:
    """Put the backup in the place of this portal's database. Raises BackupError.

    `replace` is the database's name, typed, when there is something to lose in it. Refuses while the portal runs.
    """
    found = manifest.read(folder)
    say(f"checking the backup of {found.created_at}")
    ring = keys.ring_for_restore(keys_file)
    manifest.check(folder, found, ring)
    _fits(found)
    with _alone():
        _may_replace(replace)
        with keys.installed(keys_file, found, say) if keys_file is not None else nullcontext():
            return _put_in_place(folder, found, reason, say)


def _put_in_place(folder: Path, found: Manifest, reason: str, say: Say) -> Done:
    _put_checkpoints(folder, say)
    _sign_what_is_lost(say)
    with _content(folder, say):
        say("bringing it up to this program")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        after = aftermath.settle(found, reason=reason)
        _prove(say)
    return Done(found, after)


def _fits(found: Manifest) -> None:
    if found.engine != connection.vendor:
        raise BackupError(f"The backup is of {found.engine}, this portal uses {connection.vendor}.")
    if connection.vendor == "postgresql" and int(found.engine_version) > postgresql.server_version():
        raise BackupError(f"The backup is of PostgreSQL {found.engine_version}; this server is older.")
    newer = facts.unknown_migrations(found.migrations)
    if newer:
        raise BackupError(
            f"The backup is of a newer Gatehouse ({found.version}): this one does not know {newer[0]}. "
            "Restore it with that version, then update."
        )


@contextmanager
def _alone() -> Iterator[None]:
    """No launcher has the data folder, and none gets it while this goes on; no process reported lately."""
    data = DataFolder(Path(settings.DATA_DIR))
    try:
        data.lock("a restore")
    except Stop as running:
        raise BackupError(f"{running} Stop it first.") from None
    try:
        alive = [row.name for kind in Heartbeat.Kind.values for row in _heartbeats(kind)]
        if alive:
            raise BackupError(f"The portal is running ({', '.join(alive[:3])}): stop its processes first.")
        yield
    finally:
        data.unlock()


def _heartbeats(kind: str) -> list[Heartbeat]:
    try:
        return list(Heartbeat.objects.fresh(kind, seconds=ALIVE_SECONDS))
    except DatabaseError:
        # No such table, or no database that can be read: nobody works with it.
        connection.close()
        return []


def _may_replace(typed: str) -> None:
    """Refuse to lose a portal's content unless its database is named."""
    name = str(connection.settings_dict["NAME"]).rpartition("/")[2]
    if typed == name:
        return
    try:
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
            kept = 0
            if "audit_auditevent" in tables:
                cursor.execute("SELECT COUNT(*) FROM audit_auditevent")
                kept = int(cursor.fetchone()[0])
    except DatabaseError as unreadable:
        raise BackupError(
            f"The present database cannot be read ({unreadable}). To replace it: --replace {name}"
        ) from unreadable
    finally:
        connection.close()
    if kept:
        raise BackupError(
            f"This portal is not empty: its audit log has {kept} records. Back it up first; then, to replace "
            f"everything in it, name its database: --replace {name}"
        )


def _sign_what_is_lost(say: Say) -> None:
    """Sign how far the audit chains of the replaced database went, so that the gap can be named exactly."""
    try:
        if "audit_chainhead" in connection.introspection.table_names():
            checkpoints.write_checkpoints()
    except (DatabaseError, CheckpointError) as unsigned:
        say(f"the replaced database's audit heads could not be signed: {unsigned}")
    connection.close()


def _put_checkpoints(folder: Path, say: Say) -> None:
    """Bring back checkpoint files that are gone. Those that are here know more, and stay."""
    target = Path(settings.AUDIT_CHECKPOINT_DIR)
    for path in sorted((folder / CHECKPOINTS).glob(f"*{checkpoints.SUFFIX}")):
        if not (target / path.name).exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)
            (target / path.name).chmod(0o600)
            say(f"audit checkpoints of {path.stem}: taken from the backup")


@contextmanager
def _content(folder: Path, say: Say) -> Iterator[None]:
    """Inside the block Django's connection is at the restored content.

    SQLite: at a copy beside, which takes the live place when the block went well. PostgreSQL: in its place
    already; should the block fail, the restore is repeated.
    """
    if connection.vendor != "sqlite":
        postgresql.replace_live(folder / postgresql.FILE, say)
        yield
        return
    place = sqlite.live_path().parent
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".restore-") as staged:
        copy = Path(staged) / sqlite.FILE
        shutil.copyfile(folder / sqlite.FILE, copy)
        with sqlite.connected_to(copy):
            yield
        sqlite.check(copy)
        sqlite.replace_live(copy, say)


def _prove(say: Say) -> None:
    """The restored content opens with the keys, and its audit log is whole but for the named gap."""
    from portal.core.keyring import keyring

    _used, orphaned = facts.keys_in_use(keyring())
    say(f"{facts.open_a_sample(orphaned)} rows decrypted as a sample")
    report = verification.verify()
    if report.findings:
        first = report.findings[0]
        raise BackupError(
            f"The audit log of the backup does not agree with the checkpoints here: {first.chain} record "
            f"{first.sequence} {first.what}."
        )
    say(f"audit log: {report.events} records verified in {report.chains} chains")
