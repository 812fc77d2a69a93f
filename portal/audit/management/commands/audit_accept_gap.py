"""After a restore: put on record which audit events were lost."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit.gaps import accept_gap
from portal.audit.names import Actor
from portal.core.errors import GatehouseError


class Command(BaseCommand):
    help = "Append a record that names the audit events a restore has lost, so that the chain can go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chain", help='a tenant\'s slug, or "portal"')
        parser.add_argument("--reason", required=True, help="which backup was restored, and why")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(id="", name=f"{getpass.getuser()} at the command line", kind="system")
        try:
            event = accept_gap(options["chain"], actor=actor, reason=options["reason"])
        except GatehouseError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Recorded as {event.chain} {event.sequence}: {event.after}")
