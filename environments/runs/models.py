"""Terraform's rows: the run beside its change, what it would alter, how far it is, and the state it keeps."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Change, Proposal
from environments.models import Definition, Environment
from environments.runs.live.models import DriftIgnore, ExtraRemoval, LiveCheck, LiveExtra
from environments.runs.querysets import ResourceChangeQuerySet, StateVersionQuerySet
from portal.core.fields import EncryptedBinaryField, EncryptedJSONField

__all__ = [
    "DriftCheck",
    "DriftIgnore",
    "ExtraRemoval",
    "Leftover",
    "LiveCheck",
    "LiveExtra",
    "Mode",
    "Output",
    "ResourceChange",
    "ResourceProgress",
    "RunCredential",
    "StateCopy",
    "StateEdit",
    "StateLock",
    "StateVersion",
    "TerraformRun",
]


class Mode(models.TextChoices):
    PLAN = "plan", _("Plan only")
    APPLY = "apply", _("Apply")
    DESTROY = "destroy", _("Destroy")


class TerraformRun(models.Model):
    """One Terraform run; the change it belongs to has status, votes and log."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="terraform_run")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="runs")
    targets = models.JSONField(default=list)
    replace = models.JSONField(default=list)
    # Destroying a database without a last snapshot is possible, said at the request and shown to voters.
    skip_final_snapshot = models.BooleanField(default=False)
    final_snapshots = models.JSONField(default=list)
    terraform_version = models.CharField(max_length=20, blank=True)
    # Seconds, by phase: {"init": 1.2, "plan": 8.1, ...}
    timings = models.JSONField(default=dict)
    # What was and was not done, after an apply: {"done": n, "failed": n, "open": n}
    progress = models.JSONField(default=dict)
    # The Terraform command that ran last: where it was when it ended early.
    command = models.CharField(max_length=20, blank=True)
    # Terraform was let loose, and what it left outside the state has not been worked out yet.
    unreckoned = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.mode} of {self.definition}"


class ResourceChange(models.Model):
    """What a proposal does to one resource; `detail` has the attribute changes, masked and encrypted."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="resource_changes")
    # Destruction first, then replacement, update, creation, reads: the order people read in.
    rank = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    address = models.CharField(max_length=500)
    module = models.CharField(max_length=300, blank=True)
    type = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    action = models.CharField(max_length=20)
    reason = models.CharField(max_length=80, blank=True)
    effects = models.JSONField(default=list)
    replace_paths = models.JSONField(default=list)
    # [{path, before, after, kind, unknown, sensitive, sensitive_changed, forces_replacement}]
    detail = EncryptedJSONField(default=list)

    objects = ResourceChangeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["rank", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["proposal", "position"], name="resource_change_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["proposal", "rank", "position"])]

    def __str__(self) -> str:
        return f"{self.action} {self.address}"


class ResourceProgress(models.Model):
    """How far the apply is with one resource, as Terraform tells it."""

    class State(models.TextChoices):
        RUNNING = "running", _("In progress")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="progress")
    address = models.CharField(max_length=500)
    type = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    resource_id = models.CharField(max_length=1024, blank=True)
    # Terraform's words about it, redacted.
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["change", "address", "action"], name="progress_once"),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.state}"


class StateVersion(models.Model):
    """One version of an environment's Terraform state; every write makes one, none is altered."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="state_versions")
    number = models.PositiveIntegerField()
    lineage = models.CharField(max_length=64)
    serial = models.PositiveBigIntegerField()
    terraform_version = models.CharField(max_length=20, blank=True)
    resource_count = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField()
    md5 = models.CharField(max_length=32)
    content = EncryptedBinaryField()
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="state_versions")
    written_by = models.CharField(max_length=150)
    # Written past the portal's own runs: the inventory has yet to be read from it.
    inventory_due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = StateVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "number"], name="state_number_once"),
        ]

    def __str__(self) -> str:
        return f"state {self.number} of {self.environment_id}"


class StateLock(models.Model):
    """Terraform's lock on an environment's state, naming the run that holds it."""

    environment = models.OneToOneField(Environment, on_delete=models.PROTECT, related_name="state_lock")
    lock_id = models.CharField(max_length=64)
    info = models.JSONField(default=dict)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="state_locks")
    fence = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=150)
    # A person locked it by hand, and why.
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reason = models.TextField(blank=True)
    # Somebody's terraform command line locked it with this token.
    token = models.ForeignKey(
        "accounts.ApiToken", on_delete=models.PROTECT, null=True, related_name="state_locks"
    )
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"lock of {self.environment_id} by {self.holder}"


class RunCredential(models.Model):
    """What one run's Terraform signs in to the state backend with; lives until UNLOCK or proof of death."""

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="credentials")
    fence = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    may_write = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["change", "fence"], condition=Q(revoked_at=None), name="one_credential_a_fence"
            ),
        ]

    def __str__(self) -> str:
        return f"credential of {self.change_id}.{self.fence}"


class Output(models.Model):
    """An output of the environment's state as of the last apply; sensitive values are kept but never shown."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="outputs")
    name = models.CharField(max_length=120)
    sensitive = models.BooleanField(default=False)
    type = models.JSONField(default=str)
    value = EncryptedJSONField(default=None)
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="output_once"),
        ]

    def __str__(self) -> str:
        return self.name


class DriftCheck(models.Model):
    """The last look at whether what is there is still what was applied."""

    class Verdict(models.TextChoices):
        NEVER = "never", _("Not checked yet")
        CLEAN = "clean", _("No drift")
        DRIFTED = "drifted", _("Drifted")

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="drift")
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default=Verdict.NEVER)
    # [{address, action, attributes: [...]}], masked
    rows = EncryptedJSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    taken_at = models.DateTimeField(null=True)
    # The last refresh failed: the verdict above is old, and this is why.
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"drift of {self.environment_id}: {self.verdict}"


class StateEdit(models.Model):
    """What a change of kind "state_edit" makes the next state version: an earlier version, or one brought along."""

    class Action(models.TextChoices):
        ROLLBACK = "rollback", _("Roll back to a version")
        IMPORT = "import", _("Import a state")

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="state_edit")
    action = models.CharField(max_length=10, choices=Action.choices)
    version = models.ForeignKey(StateVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # Where an imported state came from: a file's name or s3://bucket/key.
    source = models.CharField(max_length=1200, blank=True)
    # Kept until it is a state version, or the change ended without.
    content = EncryptedBinaryField(null=True)
    # The requester typed the environment's id: a state of another lineage may be replaced.
    replaces_lineage = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.action} {self.change_id}"


class StateCopy(models.Model):
    """The copy of one state version in the account's own bucket."""

    version = models.OneToOneField(StateVersion, on_delete=models.PROTECT, related_name="copy")
    bucket = models.CharField(max_length=63)
    key = models.CharField(max_length=1024)
    copied_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, default=timezone.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Leftover(models.Model):
    """A resource that the log of an interrupted apply shows created and the state lacks: import or dismiss it."""

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        IMPORTING = "importing", _("The next run imports it")
        IMPORTED = "imported", _("Imported")
        DISMISSED = "dismissed", _("Dismissed")

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="leftovers")
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="leftovers")
    address = models.CharField(max_length=500)
    type = models.CharField(max_length=120)
    resource_id = models.CharField(max_length=1024, blank=True)
    # Null: it was begun, and whether it exists is not known.
    made_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["change", "address"], name="leftover_once"),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.state}"
