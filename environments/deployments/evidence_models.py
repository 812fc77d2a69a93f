"""What a deployment saw, kept because ECS forgets it: stopped tasks, events, one-off tasks, checks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField

PART = "deployments.DeploymentPart"


class StoppedTask(models.Model):
    """A task that stopped while its service was deployed; ECS tells of it for an hour, we for ever."""

    part = models.ForeignKey(PART, on_delete=models.CASCADE, related_name="stopped_tasks")
    task_arn = models.CharField(max_length=400)
    task_definition_arn = models.CharField(max_length=400, blank=True)
    stop_code = models.CharField(max_length=80, blank=True)
    stopped_reason = models.TextField(blank=True)
    # [{"name", "exit_code": int|null, "reason", "image_digest", "health"}]
    containers = models.JSONField(default=list)
    started_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    # Key of the catalogue's entry that explains it (diagnosis.py), empty when none does.
    diagnosis = models.CharField(max_length=60, blank=True)
    log_tail = EncryptedTextField(default="")
    captured_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["stopped_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["part", "task_arn"], name="stopped_task_once"),
        ]

    def __str__(self) -> str:
        return self.task_arn


class ServiceEvent(models.Model):
    """One of ECS's messages about a service, as far as it belongs to a deployment."""

    part = models.ForeignKey(PART, on_delete=models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=100)
    at = models.DateTimeField()
    message = models.TextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["part", "event_id"], name="service_event_once"),
        ]

    def __str__(self) -> str:
        return self.message[:80]


class OneOffTask(models.Model):
    """A task run once for a deployment: a migration before it, or a declared check after it."""

    class Purpose(models.TextChoices):
        BEFORE = "before", _("Before the deployment")
        CHECK = "check", _("Check")

    part = models.ForeignKey(PART, on_delete=models.CASCADE, related_name="one_off_tasks")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    name = models.CharField(max_length=120)
    command = models.JSONField(default=list)
    # Given to RunTask, so that asking twice starts one task.
    client_token = models.CharField(max_length=64)
    task_arn = models.CharField(max_length=400, blank=True)
    intended_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    stopped_reason = models.TextField(blank=True)
    log_tail = EncryptedTextField(default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["part", "purpose", "name"], name="one_off_task_once"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.name}"


class CheckResult(models.Model):
    """How one declared check of a service came out after a deployment."""

    part = models.ForeignKey(PART, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=120)
    # None while it has not answered for good.
    ok = models.BooleanField(null=True)
    detail = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["part", "name"], name="check_result_once"),
        ]

    def __str__(self) -> str:
        return self.name
