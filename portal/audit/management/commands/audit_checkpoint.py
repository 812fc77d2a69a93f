"""Sign the present heads of the audit chains."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.audit.checkpoints import CheckpointError, write_checkpoints


class Command(BaseCommand):
    help = "Append a signed checkpoint for every audit chain that has grown (the scheduler does it too)."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = write_checkpoints()
        except CheckpointError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"{written} checkpoints written to {settings.AUDIT_CHECKPOINT_DIR}")
