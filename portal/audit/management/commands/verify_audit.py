"""Prove that the audit log is whole."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit.verification import verify


class Command(BaseCommand):
    help = "Check every audit record, link, head and signed checkpoint; ends with 1 and names what is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", default="", help='one chain only: a tenant\'s slug, or "portal"')

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify(options["chain"])
        for gap in report.gaps:
            self.stdout.write(f"note: {gap.chain} {gap.sequence}: records were lost and accepted on {gap.at}")
        if report.findings:
            lines = [
                f"{found.chain} record {found.sequence}: {found.what}" if found.chain else found.what
                for found in report.findings
            ]
            raise CommandError("The audit log is broken.\n" + "\n".join(lines), returncode=1)
        self.stdout.write(
            f"The audit log is whole: {report.events} records in {report.chains} chains, "
            f"{report.checkpoints} signed checkpoints."
        )
