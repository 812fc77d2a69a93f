"""`manage.py sandbox_fault SERVICE FAULT`: let something go wrong in the demonstration, or end it with "none"."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.errors import GatehouseError
from portal.demo.faults import switch


class Command(BaseCommand):
    help = (
        "Switch a fault on at a service in the sandbox: never-healthy, oom, cannot-pull, slow-start, alarm-in-bake; "
        "none ends it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service", help="The service's name or ARN.")
        parser.add_argument("fault", help="What goes wrong, or none.")
        parser.add_argument("--account", default="", help="Where a name is there in several accounts.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            arn = switch(options["service"], options["fault"], account=options["account"])
        except GatehouseError as refused:
            raise CommandError(refused.message) from refused
        self.stdout.write(f"{arn}: {options['fault']}")
