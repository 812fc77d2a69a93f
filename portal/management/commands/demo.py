"""`manage.py demo`: bring the demonstration to life in this database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.core.errors import GatehouseError
from portal.demo.build import apply_staging, build
from portal.demo.people import OUTSIDER, PASSWORD, PEOPLE


class Command(BaseCommand):
    help = "Create the demonstration's people, tenants and environments, and request a first apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-apply", action="store_true", help="Do not request staging's first apply.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            people = build()
            change = None if options["no_apply"] else apply_staging(people)
        except GatehouseError as refused:
            raise CommandError(refused.message) from refused
        for username, _name, role in PEOPLE:
            self.stdout.write(f"{username:12} {PASSWORD}   {role.value}")
        self.stdout.write(f"{OUTSIDER[0]:12} {PASSWORD}   another tenant")
        if change is not None:
            self.stdout.write(f"Requested: {change.title}")
