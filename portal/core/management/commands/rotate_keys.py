"""Encrypt everything with the first key of the keyring."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.keyring import DecryptionError, keyring, retire_old_keys
from portal.core.rotation import encrypted_columns, rotate, stale

# A process that was started with the old keyring may write with its key for as long as it lives.
PASSES = 3


class Command(BaseCommand):
    help = (
        "Encrypt what older keys still hold with the first key of the keyring, while the portal runs. "
        "May be interrupted and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--retire",
            action="store_true",
            help="When nothing needs them any more, replace the older keys in the keyring's file by entries that "
            "only verify old signatures. Keep the old file with the backups of its time.",
        )
        parser.add_argument(
            "--show-keyring",
            action="store_true",
            help="Print the keyring that --retire would write, for GATEHOUSE_KEYRING. It is a secret.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for _pass in range(PASSES):
            if not self._once():
                break
        left = [f"{model._meta.label}: {len(stale(model, fields))}" for model, fields in _unfinished()]
        if left:
            raise CommandError(
                f"Rows are still written with an older key ({', '.join(left)}). A process runs with the old "
                "keyring: give it the new one, restart it, and run this again. Keep the old key until then."
            )
        older = [key.id for key in keyring().keys[1:]]
        if older:
            self.stdout.write(f"Nothing is encrypted with {', '.join(older)} any more.")
        if options["retire"]:
            self._retire()
        if options["show_keyring"]:
            self.stdout.write(retire_old_keys(_text()))

    def _once(self) -> int:
        total = 0
        for model, fields in encrypted_columns():

            def tell(done: int, of: int, label: str = model._meta.label) -> None:
                self.stdout.write(f"  {label}: {done} of {of}")
                self.stdout.flush()

            try:
                changed = rotate(model, fields, tell=tell)
            except DecryptionError as gone:
                raise CommandError(
                    f"{model._meta.label}: {gone}. Put that key back and run this again."
                ) from gone
            self.stdout.write(f"{model._meta.label}: {changed} rows")
            total += changed
        return total

    def _retire(self) -> None:
        if settings.GATEHOUSE_KEYRING:
            raise CommandError(
                "The keyring comes from GATEHOUSE_KEYRING: set that to what --show-keyring prints, and restart."
            )
        path = Path(settings.GATEHOUSE_KEYRING_FILE)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w") as file:
            file.write(retire_old_keys(_text()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
        self.stdout.write(f"The older keys in {path} can open nothing any more.")


def _text() -> str:
    keyring()
    text: str = settings.GATEHOUSE_KEYRING
    return text or Path(settings.GATEHOUSE_KEYRING_FILE).read_text()


def _unfinished() -> list[Any]:
    return [(model, fields) for model, fields in encrypted_columns() if stale(model, fields)]
