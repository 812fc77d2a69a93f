"""The last look at each service, whoever deploys it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from environments.models import Environment


class ServiceStatus(models.Model):
    """What a service ran when it was last looked at; an error of the last look stands beside the old values."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="service_statuses")
    address = models.CharField(max_length=500)
    service_arn = models.CharField(max_length=400)
    service = models.CharField(max_length=255)
    cluster_arn = models.CharField(max_length=400)
    status = models.CharField(max_length=20, blank=True)
    desired = models.PositiveIntegerField(null=True)
    running = models.PositiveIntegerField(null=True)
    pending = models.PositiveIntegerField(null=True)
    minimum = models.PositiveIntegerField(null=True)
    maximum = models.PositiveIntegerField(null=True)
    task_definition_arn = models.CharField(max_length=400, blank=True)
    # container -> {"image", "digest", "tag"}
    images = models.JSONField(default=dict)
    # ECS's deployments of it: [{"id", "status", "rolloutState", "desired", "running", "pending", "failed"}]
    deployments = models.JSONField(default=list)
    # The running revision is none that a deployment or Terraform of ours made.
    out_of_band = models.BooleanField(default=False)
    # Terraform's revisions of it that were seen in the state: an older one may still run, or run again.
    known_revisions = models.JSONField(default=list)
    # Since when fewer tasks run than are wanted; null while as many do.
    short_since = models.DateTimeField(null=True)
    # Its tasks, in the shape of DeploymentPart.progress["tasks"], and when they were asked for.
    tasks = models.JSONField(default=list)
    tasks_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["service"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "service_arn"], name="service_status_once"),
        ]

    def __str__(self) -> str:
        return self.service


class ServiceCheck(models.Model):
    """When an environment's services are looked at next, and by whom."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="service_check")
    due_at = models.DateTimeField(null=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    # Seconds from the last look to the next: a figure twice as old is stale.
    interval = models.PositiveIntegerField(default=60)

    def __str__(self) -> str:
        return f"service check of {self.environment_id}"
