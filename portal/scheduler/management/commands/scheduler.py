"""manage.py scheduler: run the periodic functions until SIGTERM or Ctrl-C."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from portal.scheduler.process import Scheduler


class Command(BaseCommand):
    # They import every page of the portal, which this process never shows.
    requires_system_checks = ()
    help = "Run what is due (sweeps, drift checks, deliveries). A second scheduler waits as a spare."

    def handle(self, *args: Any, **options: Any) -> None:
        scheduler = Scheduler()

        def stop(signum: int, frame: FrameType | None) -> None:
            scheduler.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        scheduler.run()
