"""Rows by which schedulers and workers of any number of machines agree. Times are the database's."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal.core.clock import now


class Leader(models.Model):
    """The one row (pk 1) that says which scheduler runs the periodic functions, and until when."""

    owner = models.CharField(max_length=200, blank=True)
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=1), name="scheduler_one_leader_row")]


class DueRow(models.Model):
    """When a periodic function is due next, and how it went last."""

    name = models.CharField(max_length=100, primary_key=True)
    next_at = models.DateTimeField()
    last_started_at = models.DateTimeField(null=True)
    last_finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, help_text="Empty when the last run went well.")
    last_duration = models.FloatField(null=True, help_text="Seconds.")

    def __str__(self) -> str:
        return self.name


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def fresh(self, kind: str, *, seconds: float) -> "HeartbeatQuerySet":
        """Processes of `kind` that said within the last `seconds` that they live."""
        return self.filter(kind=kind, at__gte=now() - timedelta(seconds=seconds))


class Heartbeat(models.Model):
    """A process that says it is alive. `name` is host:pid."""

    class Kind(models.TextChoices):
        WORKER = "worker"
        SCHEDULER = "scheduler"

    name = models.CharField(max_length=200, primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    at = models.DateTimeField(db_index=True)
    detail = models.JSONField(
        default=dict, help_text="pid, host; of a worker also queues, terraform_version."
    )

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
