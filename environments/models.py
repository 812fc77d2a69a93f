"""What the portal manages: tenants, their people, AWS accounts, environments, definitions, resources."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from environments.querysets import (
    AwsAccountQuerySet,
    EnvironmentQuerySet,
    HoldQuerySet,
    ResourceQuerySet,
    TenantQuerySet,
)
from portal.audit import TenantRef
from portal.core.fields import EncryptedJSONField

SLUG = RegexValidator(
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    _("Use lower-case letters, digits and single hyphens, starting with a letter, such as “customer-b”."),
)


class Role(models.TextChoices):
    """Roles are not cumulative: an admin may not approve unless they are an approver too."""

    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    APPROVER = "approver", _("Approver")
    SECURITY = "security", _("Security")
    FINANCE = "finance", _("Finance")
    AUDITOR = "auditor", _("Auditor")
    ADMIN = "admin", _("Admin")


class Tenant(models.Model):
    """One of the systems the portal looks after, such as TriFlow AI."""

    slug = models.CharField(max_length=40, unique=True, validators=[SLUG])
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=120, blank=True, help_text=_("Who answers for this tenant."))
    repository = models.URLField(blank=True)
    on_call = models.CharField(max_length=200, blank=True, help_text=_("Whom to call at night, and how."))
    currency = models.CharField(max_length=3, default="USD")
    links = models.JSONField(default=list, blank=True, help_text=_("[{title, url}, ...]"))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> TenantRef:
        """The tenant as the audit log knows it."""
        return TenantRef(self.slug, self.name)


class Membership(models.Model):
    """One role of one person in one tenant; a person may hold several."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "tenant", "role"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.tenant}"


class AwsAccount(models.Model):
    """An AWS account of a tenant. Which AWS it is, the sandbox or the real one, is said here and nowhere else."""

    class Kind(models.TextChoices):
        SANDBOX = "sandbox", _("Sandbox")
        AWS = "aws", _("AWS")

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=80)
    account_id = models.CharField(
        max_length=12,
        validators=[RegexValidator(r"^\d{12}$", _("An AWS account id has twelve digits."))],
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SANDBOX)
    role_arn = models.CharField(
        max_length=200,
        blank=True,
        validators=[
            RegexValidator(
                r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$", _("Use arn:aws:iam::123456789012:role/name.")
            )
        ],
    )
    external_id = models.CharField(max_length=120, blank=True)
    default_region = models.CharField(max_length=30, default="ap-northeast-2")
    # A bucket in this account that gets a copy of every state version of its environments; empty: none.
    state_bucket = models.CharField(
        max_length=63,
        blank=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", _("Use the bucket's name, such as my-states.")
            )
        ],
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AwsAccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["tenant__name", "name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant", "name"], name="account_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"

    @property
    def is_sandbox(self) -> bool:
        return self.kind == self.Kind.SANDBOX


class Environment(models.Model):
    """A place where a tenant's system runs; described here, built by its blueprint's runs."""

    class Class(models.TextChoices):
        PRODUCTION = "production", _("Production")
        STAGING = "staging", _("Staging")
        DEVELOPMENT = "development", _("Development")
        LOCAL = "local", _("Local")

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="environments")
    slug = models.CharField(max_length=40, validators=[SLUG])
    name = models.CharField(max_length=80)
    environment_class = models.CharField(max_length=20, choices=Class.choices, default=Class.DEVELOPMENT)
    description = models.TextField(blank=True)
    # Empty while the environment is only described: its blueprint does not exist yet.
    blueprint = models.CharField(max_length=60, blank=True)
    account = models.ForeignKey(
        AwsAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="environments"
    )
    region = models.CharField(max_length=30, default="ap-northeast-2")
    owner = models.CharField(max_length=120, blank=True)
    repository = models.URLField(blank=True)
    on_call = models.CharField(max_length=200, blank=True)
    links = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    cloned_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, editable=False)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["tenant__name", "slug"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="environment_slug_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant.name} {self.name}"

    @property
    def key(self) -> str:
        """The id people and the API use: "tenant-slug.environment-slug"."""
        return f"{self.tenant.slug}.{self.slug}"

    @property
    def is_production(self) -> bool:
        return self.environment_class == self.Class.PRODUCTION

    @property
    def latest_definition(self) -> Definition | None:
        return self.definitions.order_by("-number").first()

    @property
    def active_hold(self) -> Hold | None:
        return self.holds.active().first()


class Hold(models.Model):
    """A stop sign on an environment (or one service of it): nothing starts while it stands."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="holds")
    subject = models.CharField(max_length=200, blank=True, help_text=_("Empty: the whole environment."))
    reason = models.CharField(max_length=300)
    until = models.DateTimeField(null=True, blank=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    objects = HoldQuerySet.as_manager()

    def __str__(self) -> str:
        return f"hold of {self.environment}: {self.reason}"


class DefinitionError(TypeError):
    """A definition was about to be altered; it never is."""


class Definition(models.Model):
    """What an environment shall be: a blueprint's snapshot and values for its variables. Immutable, numbered."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="definitions")
    number = models.PositiveIntegerField()
    blueprint = models.CharField(max_length=60)
    # SHA-256 of the blueprint's content (blueprints.BlueprintSnapshot.digest).
    snapshot = models.CharField(max_length=64)
    variables = models.JSONField(default=dict)
    sensitive = EncryptedJSONField(default=dict)
    note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "number"], name="definition_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.environment} definition {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise DefinitionError("A definition is immutable: editing makes the next one.")
        super().save(*args, **kwargs)


class Resource(models.Model):
    """One resource that an environment's state holds, as read after the last apply."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="resources")
    address = models.CharField(max_length=500)
    module = models.CharField(max_length=300, blank=True)
    type = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    provider_id = models.CharField(max_length=1024, blank=True)
    arn = models.CharField(max_length=1024, blank=True)
    region = models.CharField(max_length=30, blank=True)
    attributes = models.JSONField(default=dict, help_text=_("Attributes that are not sensitive."))
    first_seen_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["address"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "address"], name="resource_address_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["type"]), models.Index(fields=["arn"])]

    def __str__(self) -> str:
        return self.address
