"""People, their API tokens, and the counters that slow guessing down."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from portal.accounts.querysets import ApiTokenQuerySet, PeopleManager

SCOPE_READ = "read"
SCOPE_WRITE = "write"
# Lets a Terraform command line write the state of one environment; issued by an admin, for hours.
SCOPE_STATE_WRITE = "state.write"
# Lets a build pipeline ask for deployments in one environment and follow them; nothing else.
SCOPE_DEPLOY = "deploy"
PERSONAL_SCOPES = (SCOPE_READ, SCOPE_WRITE)
ALL_SCOPES = (*PERSONAL_SCOPES, SCOPE_STATE_WRITE, SCOPE_DEPLOY)


def validate_time_zone(value: str) -> None:
    if value and value not in available_timezones():
        raise ValidationError(_("“%(value)s” is not a time zone we know."), params={"value": value})


def default_scopes() -> list[str]:
    return list(PERSONAL_SCOPES)


class User(AbstractUser):
    """A person. Never deleted, only deactivated: votes and audit events go on pointing to them.

    The sign-in name is fixed once given, because the audit log knows people by it.
    """

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField(_("display name"), max_length=120, blank=True)
    # Empty: settings.DEFAULT_DISPLAY_TIME_ZONE.
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    is_portal_admin = models.BooleanField(_("portal administrator"), default=False)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    # Part of every session's hash: adding one ends all sessions of the person without looking for them.
    session_epoch = models.PositiveIntegerField(default=0)
    # Set when somebody else knows the password (new person, reset): only the password page opens then.
    must_change_password = models.BooleanField(default=False)

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        ordering = ("username",)
        constraints = [models.UniqueConstraint(Lower("username"), name="accounts_user_username_any_case")]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    def get_session_auth_hash(self) -> str:
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self):  # type: ignore[no-untyped-def]
        from django.conf import settings

        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("portal.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()


class ApiToken(models.Model):
    """A token that acts for its owner. Only its SHA-256 is kept; the text is shown once.

    `environment_id` ("tenant.environment", else empty) narrows it to that environment: to its state or
    its deployments, as its scope says. Such a token opens nothing else.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=default_scopes)
    environment_id = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = [models.Index(fields=["user", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.name} (ghs_{self.prefix}_…)"

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > at and self.user.is_active


class AttemptWindow(models.Model):
    """How often one subject failed from one address since `started_at`.

    The subject is an HMAC: people sometimes type their password where the name belongs.
    """

    kind = models.CharField(max_length=16)
    subject = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "address"], name="accounts_attempt_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.address}: {self.count}"
