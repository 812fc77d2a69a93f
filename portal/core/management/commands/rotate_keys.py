"""Encrypt everything with the first key of the keyring."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.core.rotation import encrypted_columns, rotate


class Command(BaseCommand):
    help = "Encrypt what older keys still hold with the first key of the keyring; then the old keys may go."

    def handle(self, *args: Any, **options: Any) -> None:
        for model, fields in encrypted_columns():
            self.stdout.write(f"{model._meta.label}: {rotate(model, fields)} rows")
