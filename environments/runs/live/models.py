"""Rows about what stands in AWS beside what Terraform sees: extras, their removal, drift that is ignored."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Change
from environments.models import Environment
from portal.core.fields import EncryptedJSONField


class LiveCheck(models.Model):
    """The last comparison of live rules, attachments and public-access flags with the state's."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="live_check")
    taken_at = models.DateTimeField(null=True)
    # The last refresh failed: the extras are as of `taken_at`, and this is why.
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"live check of {self.environment_id}"


class LiveExtra(models.Model):
    """Something on a managed resource that its state does not have: Terraform's plan stays silent about it."""

    class Kind(models.TextChoices):
        RULE = "security_group_rule", _("Security-group rule")
        ATTACHMENT = "policy_attachment", _("Policy attachment")
        PUBLIC = "public_access", _("Public access")

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="live_extras")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    # The managed resource it sits on.
    address = models.CharField(max_length=500)
    resource_id = models.CharField(max_length=1024)
    # What it is, in one canonical line; the same extra seen again has the same key.
    key = models.CharField(max_length=500)
    detail = EncryptedJSONField(default=dict)
    # Higher is worse: what is open to the world or an administrator comes first.
    risk = models.PositiveSmallIntegerField(default=0)
    added_by = models.CharField(max_length=300, blank=True)
    added_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)
    adopted_at = models.DateTimeField(null=True)
    allowed_until = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-risk", "address", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["environment", "kind", "resource_id", "key"],
                condition=Q(gone_at=None),
                name="live_extra_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.key}"


class ExtraRemoval(models.Model):
    """What a change of kind "remove_extra" takes away."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="extra_removal")
    extra = models.ForeignKey(LiveExtra, on_delete=models.PROTECT, related_name="removals")

    def __str__(self) -> str:
        return f"removal {self.change_id}"


class DriftIgnore(models.Model):
    """A person's word that this drift is known and left until a date."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="drift_ignores")
    address = models.CharField(max_length=500)
    # One attribute's path, or empty for the whole resource.
    path = models.CharField(max_length=500, blank=True)
    # What a run would do about it ("update"): other drift of the same resource shows again.
    action = models.CharField(max_length=20)
    reason = models.TextField()
    until = models.DateTimeField()
    by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["until"]

    def __str__(self) -> str:
        return f"{self.address} {self.path} until {self.until:%Y-%m-%d}"
