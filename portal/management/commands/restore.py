"""`manage.py restore`: a backup in the place of this portal's database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backup.errors import BackupError
from portal.backup.offers import offers
from portal.backup.restoring import Done, restore


class Command(BaseCommand):
    help = "Restore a backup. Refuses while the portal runs, and to replace content unless its database is named."
    # The database may be empty, or behind: the restore brings it up to this program.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="what `manage.py backup` wrote")
        parser.add_argument(
            "--keys", type=Path, help="the keyring written beside it, when it is not here yet"
        )
        parser.add_argument("--replace", default="", metavar="NAME", help="the database that may be replaced")
        parser.add_argument("--reason", required=True, help="why, for the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["reason"].strip():
            raise CommandError("Say why with --reason: the audit log names it beside the gap.")
        try:
            done = restore(
                options["folder"].resolve(),
                keys_file=options["keys"],
                replace=options["replace"],
                reason=options["reason"].strip(),
                say=self.stdout.write,
            )
        except BackupError as refused:
            raise CommandError(str(refused)) from refused
        self._tell(done)
        sys.stdout.flush()

    def _tell(self, done: Done) -> None:
        after, say = done.after, self.stdout.write
        say(f"Restored to {done.manifest.created_at}. What happened after that is not in this portal:")
        for gap in after.gaps:
            lost = gap.after or {}
            say(f"  {gap.chain}: audit records {lost['lost_from']} to {lost['lost_to']} are lost, and named")
        say(f"  {after.interrupted} changes were running then: interrupted; nothing is run again by itself")
        say(f"  {after.cancelled} changes were waiting then: cancelled; request again what is still wanted")
        say(f"  everybody is signed out, {after.tokens} API tokens are revoked")
        say("  who left or lost a role since is back: go through the people before you let others in")
        if after.doubted:
            say(f"  {len(after.doubted)} states may be older than what stands in AWS, and are locked:")
            for key in after.doubted:
                say(f"    {key}")
            say("  an admin takes the newer copy from the bucket, or releases the lock (State versions)")
            for line in offers(after.doubted):
                say(f"  {line}")
