"""`manage.py backup`: a copy of the portal's database, consistent while it runs, without its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backup.errors import BackupError
from portal.backup.making import backup


class Command(BaseCommand):
    help = (
        "Back up the database into a new folder, check it, and print where. The keys go elsewhere (--keys)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that is empty or does not exist yet")
        parser.add_argument(
            "--keys", type=Path, help="also write the keyring to this new file, which must lie elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = options["keys"]
        try:
            done = backup(options["folder"].resolve(), keys_file=keys, say=self.stdout.write)
        except BackupError as refused:
            raise CommandError(str(refused)) from refused
        size = sum(known["size"] for known in done.files.values())
        rows = sum(done.counts.values())
        self.stdout.write(
            f"Backup of {done.created_at} in {options['folder']}: {len(done.files)} files, "
            f"{size / 1e6:.1f} MB, {rows} rows."
        )
        if keys:
            self.stdout.write(
                f"WARNING: {keys} opens every secret of the portal together with the backup. Keep the two in "
                "different places, with different people; without it the backup is worth nothing."
            )
        else:
            names = ", ".join(sorted(done.keys))
            self.stdout.write(
                f"It can be read only with the keyring (keys: {names}), which is not in it. Is that kept?"
            )
