"""What a pipeline has asked already, so that its retry does not ask twice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from environments.changes.models import Change
from environments.models import Environment


class RequestKey(models.Model):
    """A request's Idempotency-Key, and the change that it made; written in the change's own transaction."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    # SHA-256 of the key; keyed fingerprint of what was asked (settings may be secret).
    digest = models.CharField(max_length=64)
    asked = models.CharField(max_length=64)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "digest"], name="request_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]} in {self.environment_id}"
