"""`manage.py recover_state`: after a restore, take the newer state from the bucket's copies."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from environments.models import Environment
from environments.runs.states import recovering
from portal.accounts.principals import Principal
from portal.core.errors import GatehouseError


class Command(BaseCommand):
    help = "After a restore: list the copies in the account's bucket, or take one (--key, or --newest)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("environment", help="tenant.environment")
        parser.add_argument("--newest", action="store_true", help="take the newest, if it is newer")
        parser.add_argument("--key", default="", help="take this one")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Environment.objects.select_related("tenant", "account").by_key(options["environment"]).first()
        if found is None:
            raise CommandError(f"There is no environment {options['environment']}.")
        by = Principal(None, "system", name=f"{getpass.getuser()} at the command line")
        try:
            copies = recovering.copies_of(found)
            for copy in copies:
                word = "newer" if copy.newer else "known"
                self.stdout.write(
                    f"{word}  {copy.modified:%Y-%m-%d %H:%M:%S}  serial {copy.serial}  {copy.key}"
                )
            newest = next((copy.key for copy in copies if copy.newer), "") if options["newest"] else ""
            key = options["key"] or newest
            if not key:
                self.stdout.write("Nothing was taken." if copies else "There are no copies.")
                return
            version = recovering.recover(by=by, environment=found, key=key)
        except GatehouseError as refused:
            raise CommandError(f"{refused.message} {refused.hint}".strip()) from refused
        self.stdout.write(f"{found.key}: the copy is version {version.number} now; the state is unlocked.")
