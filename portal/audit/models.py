"""The audit events and the head of each chain."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.audit.querysets import AuditEventQuerySet
from portal.core.canonical import canonical_json
from portal.core.fields import CanonicalJSONField, canonical_text

PORTAL_CHAIN = "portal"
GENESIS = "0" * 64
ID_LENGTH = 200


class Outcome(models.TextChoices):
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


class AuditEvent(models.Model):
    """One act. Written once, by recording.py only; the database refuses to change or remove it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    chain = models.CharField(max_length=ID_LENGTH)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=ID_LENGTH, blank=True)
    actor_name = models.TextField(blank=True)
    actor_kind = models.CharField(max_length=20)
    actor_roles = CanonicalJSONField(default=list)
    address = models.CharField(max_length=ID_LENGTH, blank=True)
    request_id = models.CharField(max_length=ID_LENGTH, blank=True)
    action = models.CharField(max_length=ID_LENGTH)
    target_type = models.CharField(max_length=ID_LENGTH, blank=True)
    target_id = models.CharField(max_length=ID_LENGTH, blank=True)
    target_name = models.TextField(blank=True)
    tenant_id = models.CharField(max_length=ID_LENGTH, blank=True)
    tenant_name = models.TextField(blank=True)
    environment = models.CharField(max_length=ID_LENGTH, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.DONE)
    before = CanonicalJSONField(null=True)
    after = CanonicalJSONField(null=True)
    detail = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_one_per_place")]
        indexes = [
            models.Index(fields=["at", "id"], name="audit_by_time"),
            models.Index(fields=["chain", "at", "id"], name="audit_by_chain"),
            models.Index(fields=["environment", "at", "id"], name="audit_by_environment"),
            models.Index(fields=["actor_id", "at", "id"], name="audit_by_actor"),
            models.Index(fields=["action", "at", "id"], name="audit_by_action"),
            models.Index(fields=["target_type", "target_id", "at", "id"], name="audit_by_target"),
            models.Index(fields=["outcome", "at", "id"], name="audit_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}: {self.action} by {self.actor_name}"

    def computed_hash(self) -> str:
        """The hash this event should have: see `hash_of`."""
        values = {name: getattr(self, name) for name in HASHED}
        texts = {name: canonical_text(values[name]) for name in JSON_COLUMNS}
        return hash_of(values | texts)


JSON_COLUMNS = ("actor_roles", "after", "before")
HASHED = tuple(
    sorted(field.attname for field in AuditEvent._meta.concrete_fields if field.name not in ("id", "hash"))
)


def hash_of(values: Mapping[str, Any]) -> str:
    """SHA-256 over every column but `id` and `hash`, the previous event's hash included.

    JSON columns enter as the text that is stored, so that not even a space in it can be changed.
    """
    return hashlib.sha256(canonical_json({name: values[name] for name in HASHED})).hexdigest()


class ChainHead(models.Model):
    """Where a chain ends. Its row lock makes events of one chain come one after the other."""

    chain = models.CharField(max_length=ID_LENGTH, primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"
