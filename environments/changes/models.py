"""The engine's rows: a change, its proposals, votes, claims, transitions and log."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from environments.changes.lifecycle import FINAL, ErrorKind, Status
from environments.changes.querysets import ChangeQuerySet, ClaimQuerySet, VoteQuerySet
from environments.models import Environment
from portal.core.fields import EncryptedBinaryField, EncryptedTextField


class Start(models.TextChoices):
    ON_APPROVAL = "on_approval", _("As soon as it is approved")
    MANUAL = "manual", _("When I press Start")
    AT = "at", _("At a time")


class Change(models.Model):
    """Everything that alters a tenant's infrastructure is one of these; `lifecycle.MOVES` has its moves."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.REQUESTED)
    # Moves by one at each transition: what a stale copy is recognised by.
    version = models.PositiveIntegerField(default=0)
    summary = models.CharField(max_length=300, blank=True)

    # Null: the portal itself by a standing order of a person named in `requested_by_name`.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="changes"
    )
    requested_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=200, blank=True)
    links = models.JSONField(default=list, blank=True)

    start = models.CharField(max_length=20, choices=Start.choices, default=Start.ON_APPROVAL)
    start_at = models.DateTimeField(null=True, blank=True)
    # The requester pressed Start (start=manual).
    start_pressed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    # An approval that is not used by then expires.
    expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Lower goes first in the queue of what it claims; a rollback has -10.
    priority = models.SmallIntegerField(default=0)

    proposal = models.ForeignKey("Proposal", on_delete=models.PROTECT, null=True, related_name="current_of")
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True)
    # A change that did not come through and that this one tries again; its votes may count here (retries.py).
    retry_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="retries")

    # Started without votes by one person in an emergency; a Review is owed (breakglass.py).
    break_glass = models.BooleanField(default=False)
    break_glass_reason = models.TextField(blank=True)
    break_glass_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    break_glass_at = models.DateTimeField(null=True)
    # Of the proposal that the person read: it stands for this one only, as a vote does.
    break_glass_digest = models.CharField(max_length=64, blank=True)

    error_kind = models.CharField(max_length=10, choices=ErrorKind.choices, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)

    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.CharField(max_length=150, blank=True)
    kill_requested_at = models.DateTimeField(null=True)
    kill_requested_by = models.CharField(max_length=150, blank=True)

    # The lease of the worker that works on it (see leases.py).
    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.JSONField(default=dict)
    lease_until = models.DateTimeField(null=True)
    # The process that does the work (Terraform), as proof of life or death.
    tool_process = models.JSONField(default=dict)
    # When the engine should look at it next; the sweeper re-sends what is due.
    due_at = models.DateTimeField(null=True, default=timezone.now)
    # A phase that rests until AWS has moved on (kinds.Later) is gone on with then, not before.
    look_at = models.DateTimeField(null=True)

    log_size = models.PositiveBigIntegerField(default=0)
    log_lines = models.PositiveIntegerField(default=0)

    # What a list says of its wait; no column: filled by waiting.mark.
    queue_note: str = ""

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-created_at", "-id"]),
            models.Index(fields=["environment", "-created_at"]),
            models.Index(fields=["status", "due_at"]),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="change_status_known"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_open(self) -> bool:
        return not self.is_final


class Transition(models.Model):
    """One move of a change, written in the move's own transaction."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="transitions")
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150)
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.from_status} -> {self.to_status}"


class Proposal(models.Model):
    """What exactly would happen. Votes point here; execution does this and nothing else."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="proposals")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    # What the gates ask about and the pages say: counts, destroys, touches_iam, touches_network, ...
    facts = models.JSONField(default=dict)
    # What must still hold at the start: state lineage and serial, plan SHA-256, account, definition, snapshot.
    base = models.JSONField(default=dict)
    summary = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["change", "number"], name="proposal_number_once"),
        ]

    def __str__(self) -> str:
        return f"proposal {self.number} of {self.change_id}"


class Vote(models.Model):
    """One person's decision on one proposal. It counts while a proposal with the same digest stands."""

    class Decision(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REJECT = "reject", _("Rejected")

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    comment = models.TextField(blank=True)
    roles = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    # The vote on an earlier change that counts here because this one does no more than that one.
    carried_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="carried_to")

    objects = VoteQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["proposal", "user"], condition=Q(withdrawn_at=None), name="one_standing_vote"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} by {self.user_id}"


class Comment(models.Model):
    """A question or remark on a change; it ends nothing."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="comments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]

    def __str__(self) -> str:
        return self.text[:60]


class ApprovalPolicy(models.Model):
    """One version of an environment's gates; the highest number is in force."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    # [{name, roles, votes, when: {always, destroys, touches_iam, touches_network, kinds, modes,
    # except_modes}}]: gates.py
    gates = models.JSONField(default=list)
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "number"], name="policy_number_once"),
        ]

    def __str__(self) -> str:
        return f"policy {self.number} of {self.environment_id}"


class Review(models.Model):
    """The look that a break-glass start owes: somebody else's, within two working days."""

    class Verdict(models.TextChoices):
        FINE = "fine", _("It was right")
        CONCERN = "concern", _("It should not have been done so")

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="review")
    owed_since = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["due_at"]

    def __str__(self) -> str:
        return f"review of {self.change_id}"


class PolicyEdit(models.Model):
    """The gates that a change of kind "approval_policy" would put in force."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="policy_edit")
    gates = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"edit {self.change_id}"


class Claim(models.Model):
    """What a change touches while it executes; the database lets one change at a time hold a subject."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="claims")
    subject = models.CharField(max_length=300)
    taken_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject"], condition=Q(released_at=None), name="one_holder_a_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class LogChunk(models.Model):
    """A stretch of a change's log: redacted text, encrypted, at a byte offset; never altered."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="log_chunks")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    fence = models.PositiveIntegerField()
    text = EncryptedTextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["offset"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["change", "offset"], name="log_offset_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["change", "first_line"])]

    def __str__(self) -> str:
        return f"{self.change_id}@{self.offset}"


class Artefact(models.Model):
    """A file that a phase leaves for the next one, on whichever worker: the plan's work folder."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="artefacts")
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, related_name="artefacts")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    content = EncryptedBinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name
