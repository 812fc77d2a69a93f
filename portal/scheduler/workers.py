"""The heartbeat of a Celery worker process, with the Terraform it found."""

import logging
import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from portal.scheduler import heartbeats
from portal.scheduler.models import Heartbeat
from portal.scheduler.registry import registered_on_each_worker
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import find_terraform

logger = logging.getLogger(__name__)

# Terraform may be installed or upgraded while the worker runs.
LOOK_AGAIN_SECONDS = 60.0


class WorkerPulse:
    """Writes the row of this worker; `seconds` is how often `beat` wants to be called."""

    seconds = heartbeats.BEAT_SECONDS

    def __init__(self, *, queues: list[str]) -> None:
        self.queues = queues
        self._terraform_version = ""
        self._looked_at = float("-inf")
        self._ran_at: dict[str, float] = {}

    def beat(self) -> None:
        """Say that this worker lives. A database that does not answer is logged and tried again next time."""
        try:
            heartbeats.beat(
                Heartbeat.Kind.WORKER, {"queues": self.queues, "terraform_version": self.terraform_version()}
            )
        except DatabaseError:
            logger.exception("The worker could not write its heartbeat.")
        try:
            self.run_due()
        finally:
            # The pool forks from this process: it must not carry an open connection.
            connections.close_all()

    def run_due(self) -> None:
        """Run what every worker does for its own machine (registry.on_each_worker)."""
        for name, work in registered_on_each_worker().items():
            if time.monotonic() - self._ran_at.get(name, float("-inf")) >= work.seconds:
                self._ran_at[name] = time.monotonic()
                try:
                    work.function()
                except Exception:
                    logger.exception("%s failed on this worker.", name)

    def end(self) -> None:
        """The worker stops: take its row away."""
        try:
            heartbeats.end()
        except DatabaseError:
            logger.exception("The worker could not remove its heartbeat.")
        finally:
            connections.close_all()

    def terraform_version(self) -> str:
        """The version of the Terraform this worker would run, "" when there is none."""
        if time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            self._terraform_version = _find_version()
            self._looked_at = time.monotonic()
        return self._terraform_version


def _find_version() -> str:
    try:
        _, version, _ = find_terraform(settings.TERRAFORM_BINARY or None)
    except TerraformMissing as missing:
        logger.warning("%s", missing)
        return ""
    return version
