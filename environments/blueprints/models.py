"""What is kept of blueprints: their snapshots, the providers chosen for them, and half-filled forms."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from environments.blueprints.variables import Variable, from_json
from environments.models import Environment
from portal.core.fields import EncryptedJSONField


class BlueprintSnapshot(models.Model):
    """The exact content of a blueprint at one moment, named by that content. Never altered."""

    digest = models.CharField(max_length=64, unique=True)
    blueprint = models.CharField(max_length=60, db_index=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    # The root module's folder inside the archive, such as "blueprints/web-service".
    root = models.CharField(max_length=300)
    archive = models.BinaryField(
        help_text=_("A tar, gzipped: the root module and the local modules it reaches.")
    )
    # variables.to_json: type and validation as HCL source.
    variables = models.JSONField(default=list)
    outputs = models.JSONField(default=list, help_text=_("[{name, description, sensitive}, ...]"))
    readme = models.TextField(blank=True)
    # The blueprint's own word on which fields of a resource belong to a deployment, not to Terraform.
    fields = models.JSONField(default=dict)
    files = models.JSONField(default=list, help_text=_("[[path, SHA-256, bytes], ...] sorted by path."))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.blueprint} {self.short_digest}"

    @property
    def short_digest(self) -> str:
        return self.digest[:12]

    @property
    def file_count(self) -> int:
        return len(self.files)

    @cached_property
    def schema(self) -> tuple[Variable, ...]:
        """The variables, typed."""
        return from_json(self.variables)

    @property
    def sensitive_names(self) -> frozenset[str]:
        return frozenset(row["name"] for row in self.variables if row["sensitive"])


class ProviderLock(models.Model):
    """The .terraform.lock.hcl that this installation's first init of a snapshot made, per platform.

    Hashes made from a local mirror hold for one platform only, so the file cannot come with the blueprint.
    """

    snapshot = models.ForeignKey(BlueprintSnapshot, on_delete=models.CASCADE, related_name="locks")
    platform = models.CharField(max_length=40, help_text=_("Such as linux_amd64."))
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["snapshot", "platform"], name="provider_lock_once"),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot} {self.platform}"


class Draft(models.Model):
    """Secrets somebody typed into a form that was refused: kept for an hour, never shown back."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    content: EncryptedJSONField[Any, Any] = EncryptedJSONField(default=dict)
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "environment"], name="draft_once"),
        ]

    def __str__(self) -> str:
        return f"draft of {self.user} for {self.environment}"
