"""Builds of a static front end, and the changes that put one in force."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from environments.changes.models import Change, Proposal
from environments.models import Environment
from portal.core.fields import EncryptedBinaryField


class FrontEndRelease(models.Model):
    """One uploaded build of one front end: immutable, numbered, kept so that it can be put in force again."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="front_end_releases")
    # The bucket's address in the inventory and its name.
    address = models.CharField(max_length=500)
    bucket = models.CharField(max_length=63)
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    # path -> {"sha256", "size", "content_type", "cache_control"}
    files = models.JSONField(default=dict)
    # The build as a zip; emptied when more than the kept number are newer, the row stays as history.
    content = EncryptedBinaryField(null=True)
    label = models.CharField(max_length=120, blank=True)
    uploaded_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["environment", "address", "number"], name="front_end_release_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} release {self.number}"


class FrontEndDeployment(models.Model):
    """One change of kind "front_end": this release becomes what the bucket holds."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="front_end")
    release = models.ForeignKey(FrontEndRelease, on_delete=models.PROTECT, related_name="deployments")
    previous = models.ForeignKey(FrontEndRelease, on_delete=models.PROTECT, null=True, related_name="+")
    bucket = models.CharField(max_length=63)
    distribution_id = models.CharField(max_length=40, blank=True)
    invalidation_id = models.CharField(max_length=40, blank=True)
    # How far it is: {"uploaded": n, "deleted": n, "of": n}
    progress = models.JSONField(default=dict)
    step = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"front end {self.change_id}"


class FrontEndPlan(models.Model):
    """What a proposal would write and delete: nothing else is written or deleted."""

    proposal = models.OneToOneField(Proposal, on_delete=models.CASCADE, related_name="front_end_plan")
    # Paths in the order in which they are put; of these, the ones that no page names yet.
    put = models.JSONField(default=list)
    quiet = models.JSONField(default=list)
    removed = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"front end plan of proposal {self.proposal_id}"
