"""`manage.py export_environment`: an environment as plain Terraform, for when the portal is not there."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from environments.models import Environment
from environments.runs import exporting
from environments.runs.models import StateVersion
from portal.accounts.principals import Principal
from portal.core.errors import GatehouseError


class Command(BaseCommand):
    help = (
        "Write blueprint, variables, state and lock file of an environment into a folder, secrets in clear."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("environment", help="tenant.environment")
        parser.add_argument("folder", type=Path, help="a folder that is empty or does not exist yet")
        parser.add_argument("--definition", type=int, help="its number; default: the last applied")
        parser.add_argument("--state", type=int, help="number of the state version; default: the newest")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Environment.objects.select_related("tenant", "account").by_key(options["environment"]).first()
        if found is None:
            raise CommandError(f"There is no environment {options['environment']}.")
        versions = StateVersion.objects.filter(environment=found)
        number = options["state"]
        version = versions.newest() if number is None else versions.filter(number=number).first()
        if number is not None and version is None:
            raise CommandError(f"{found.key} has no state version {number}.")
        try:
            definition = exporting.wanted_definition(found, options["definition"])
            root = exporting.export(
                found,
                options["folder"].resolve(),
                by=Principal(None, "system", name=f"{getpass.getuser()} at the command line"),
                definition=definition,
                version=version,
                terraform=settings.TERRAFORM_BINARY,
            )
        except GatehouseError as refused:
            raise CommandError(refused.message) from refused
        held = f"state version {version.number} (serial {version.serial})" if version else "no state yet"
        self.stdout.write(f"{found.key}: definition {definition.number}, {held}")
        self.stdout.write(f"root module: {root}")
        self.stdout.write(
            "WARNING: variables and state hold secrets in clear. Delete the folder when you are done."
        )
        self.stdout.write("Nothing here locks the state for others: see docs/without-the-portal.md")
