"""PostgreSQL: pg_dump of one exported snapshot, and a restore that drops and fills in one transaction."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from portal.backup.errors import BackupError, Say
from portal.backup.facts import LEFT_OUT

FILE = "gatehouse.dump"
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")

# Everything of ours goes before the old comes in: a table that the backup does not know must not stay.
CLEAR = """
DO $clear$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', one.tablename);
  END LOOP;
  FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.proowner = current_user::regrole LOOP
    EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', one.name);
  END LOOP;
END $clear$;
"""


def environment() -> dict[str, str]:
    """How the client programs reach the server. The password goes by the environment: command lines are public."""
    known = connection.settings_dict
    options: Mapping[str, object] = known.get("OPTIONS", {})
    wanted = {
        "PGHOST": known.get("HOST"),
        "PGPORT": known.get("PORT"),
        "PGUSER": known.get("USER"),
        "PGPASSWORD": known.get("PASSWORD"),
        "PGDATABASE": known.get("NAME"),
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
        "PGSERVICE": options.get("service"),
    }
    return {**os.environ, **{name: str(value) for name, value in wanted.items() if value}}


def program(name: str) -> str:
    """The client program, if it is here and not older than the server. Raises BackupError otherwise."""
    path = shutil.which(name)
    if path is None:
        raise BackupError(f"{name} is not on PATH: install the PostgreSQL client (postgresql-client).")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = VERSION.search(told)
    client, server = int(found.group(1)) if found else 0, server_version()
    if client < server:
        raise BackupError(
            f"{name} is of version {client or 'unknown'}, the server of {server}: it cannot read a newer "
            f"server. Install the client of version {server} and put it first on PATH."
        )
    return path


def server_version() -> int:
    """The server's major version."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


@contextmanager
def one_moment() -> Iterator[str]:
    """A read-only transaction that sees one moment, and the name by which pg_dump sees the same."""
    connection.close()
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            cursor.execute("SELECT pg_export_snapshot()")
            yield str(cursor.fetchone()[0])
        finally:
            cursor.execute("ROLLBACK")


def dump(target: Path, snapshot: str, say: Say) -> None:
    """pg_dump in its custom format; rows of LEFT_OUT stay behind."""
    say("database: pg_dump runs")
    words = [program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    words += [f"--exclude-table-data={table}" for table in LEFT_OUT]
    _run([*words, f"--file={target}"])
    target.chmod(0o600)


def check(path: Path, tables: list[str]) -> None:
    """Raise BackupError unless the archive can be read to its end and has the content of every table."""
    listed = _run([program("pg_restore"), "--list", str(path)])
    held = set(re.findall(r" TABLE DATA \S+ (\S+) ", listed))
    lacking = sorted(set(tables) - held)
    if lacking:
        raise BackupError(f"{path.name} lacks the content of {', '.join(lacking[:5])}.")
    # Reading it all shows a damaged block, which the list does not.
    _run([program("pg_restore"), "--file=/dev/null", str(path)])


def replace_live(path: Path, say: Say) -> None:
    """Drop what is there and fill from the archive, in one transaction: wholly or not at all.

    Committed with it: nothing is due, so that a scheduler that starts too early finds nothing to send.
    """
    say("database: pg_restore runs")
    schema = _schema()
    with tempfile.TemporaryDirectory(prefix="gatehouse-restore-") as folder:
        # By way of a file: read from a pipe, an archive that breaks off would look like its end, and be committed.
        script = Path(folder) / "restore.sql"
        _run([program("pg_restore"), "--no-owner", "--no-privileges", f"--file={script}", str(path)])
        psql = [program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        quiet = f"UPDATE {schema}.changes_change SET due_at = NULL"  # noqa: S608 - names of ours
        psql += [f"--command={CLEAR}", f"--file={script}", f"--command={quiet}", "--output=/dev/null"]
        connection.close()
        _run(psql)


def _schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        return str(cursor.fetchone()[0])


def _run(words: list[str]) -> str:
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{Path(words[0]).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout
