"""Print a new API token of a person; the token is the last word of the output."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.accounts.actions import create_token
from portal.accounts.actions.tokens import DEFAULT_DAYS
from portal.accounts.models import PERSONAL_SCOPES, SCOPE_READ, User
from portal.accounts.principals import SYSTEM
from portal.core.errors import GatehouseError


class Command(BaseCommand):
    help = "Makes an API token for USERNAME and prints it as the last word."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="lifetime, 1 to 365 (default 90)")
        parser.add_argument("--name", default="made by create_token", help="what the token is for")
        parser.add_argument("--read-only", action="store_true", help="the token may read, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username__iexact=options["username"]).first()
        if person is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        scopes = (SCOPE_READ,) if options["read_only"] else PERSONAL_SCOPES
        try:
            token, plain = create_token(
                by=SYSTEM, owner=person, name=options["name"], days=options["days"], scopes=scopes
            )
        except GatehouseError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"Token of {person}, until {token.expires_at:%Y-%m-%d %H:%M} UTC: {plain}")
