"""The outbox: a message is a row, written with the act it tells about, delivered later."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField


class Channel(models.TextChoices):
    SLACK = "slack", _("Slack")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class MessageQuerySet(models.QuerySet["Message"]):
    def waiting(self) -> MessageQuerySet:
        """Neither sent nor given up."""
        return self.filter(sent_at=None, gave_up_at=None)

    def given_up(self) -> MessageQuerySet:
        """Nobody got these: shown to administrators, `error` says why."""
        return self.filter(gave_up_at__isnull=False)


class Message(models.Model):
    """One message to one address. `due_at` is the next try; while one is under way it lies ahead."""

    channel = models.CharField(max_length=20, choices=Channel.choices)
    # The address of a webhook is all one needs to post there, so it is kept like a password.
    address = EncryptedTextField()
    subject = models.TextField()
    text = models.TextField(blank=True)
    link = models.TextField(blank=True)
    payload = models.JSONField(default=dict, blank=True)
    dedupe_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    gave_up_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"], condition=~Q(dedupe_key=""), name="notifications_once_each"
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(sent_at=None, gave_up_at=None), name="notifications_waiting"
            ),
            models.Index(fields=["sent_at"], name="notifications_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.subject}"
