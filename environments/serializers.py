"""What the API says of tenants, accounts, environments, memberships and resources."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from environments.models import AwsAccount, Environment, Membership, Resource, Role, Tenant

Plain = dict[str, Any]
ID_HELP = '"tenant-slug.environment-slug"'


class PlaceLinkShape(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    url = serializers.CharField(max_length=500)


class TenantShape(serializers.ModelSerializer[Tenant]):
    id = serializers.CharField(source="slug", read_only=True)
    links = PlaceLinkShape(many=True, required=False)

    class Meta:
        model = Tenant
        fields = (
            "id",
            "slug",
            "name",
            "description",
            "owner",
            "repository",
            "on_call",
            "currency",
            "links",
            "created_at",
        )
        read_only_fields = ("created_at",)
        # The action judges and words what is wrong, for page and API alike.
        extra_kwargs: ClassVar[dict[str, Any]] = {"slug": {"validators": []}}


class TenantEditShape(TenantShape):
    """A tenant's slug stays: it is part of addresses and of the audit log's chain."""

    slug = serializers.CharField(read_only=True)


class AccountShape(serializers.ModelSerializer[AwsAccount]):
    tenant = serializers.CharField(source="tenant.slug", read_only=True)
    tenant_name = serializers.CharField(source="tenant.name", read_only=True)
    sandbox = serializers.BooleanField(source="is_sandbox", read_only=True)
    environments = serializers.SerializerMethodField(help_text="Ids of the environments in this account.")

    class Meta:
        model = AwsAccount
        fields = (
            "id",
            "tenant",
            "tenant_name",
            "name",
            "account_id",
            "kind",
            "sandbox",
            "role_arn",
            "external_id",
            "default_region",
            "state_bucket",
            "environments",
            "created_at",
        )
        read_only_fields = ("created_at",)
        # A shared secret between two AWS accounts: set here, read nowhere.
        extra_kwargs: ClassVar[dict[str, Any]] = {"external_id": {"write_only": True, "required": False}}

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_environments(self, account: AwsAccount) -> list[str]:
        return [f"{account.tenant.slug}.{row.slug}" for row in account.environments.all()]


class NewAccountShape(AccountShape):
    tenant = serializers.CharField(source="tenant_slug", help_text="Slug.")

    class Meta(AccountShape.Meta):
        pass


class HoldShape(serializers.Serializer[Any]):
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    placed_by = serializers.CharField()
    placed_at = serializers.DateTimeField()


class VerdictShape(serializers.Serializer[Any]):
    state = serializers.CharField(help_text="failing, attention, progress, unknown or healthy.")
    text = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When it was seen.")


class PlaceAbilityShape(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why not; empty when allowed.")


class EnvironmentShape(serializers.Serializer[Environment]):
    id = serializers.CharField(help_text=ID_HELP)
    tenant = serializers.CharField(help_text="Slug.")
    tenant_name = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    environment_class = serializers.ChoiceField(choices=Environment.Class.choices)
    description = serializers.CharField()
    blueprint = serializers.CharField(help_text="Empty while the environment is only described.")
    account = serializers.CharField(allow_null=True, help_text="AWS account id, twelve digits.")
    account_name = serializers.CharField(allow_null=True)
    sandbox = serializers.BooleanField()
    region = serializers.CharField()
    owner = serializers.CharField()
    repository = serializers.CharField()
    on_call = serializers.CharField()
    links = PlaceLinkShape(many=True)
    created_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    cloned_from = serializers.CharField(allow_null=True)
    definition = serializers.IntegerField(allow_null=True, help_text="Number of the newest definition.")
    hold = HoldShape(allow_null=True)
    status = serializers.DictField(child=VerdictShape(), help_text="A verdict for each status column.")
    actions = serializers.DictField(child=PlaceAbilityShape(), help_text="can_edit, can_hold, ... for you.")
    url = serializers.CharField(help_text="The page.")


class EnvironmentPageShape(serializers.Serializer[Environment]):
    results = EnvironmentShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class ValuesField(serializers.JSONField):
    """Variable name -> value."""


class EnvironmentEditShape(serializers.Serializer[Environment]):
    """Everything may be left out; what is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    environment_class = serializers.ChoiceField(choices=Environment.Class.choices, required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    blueprint = serializers.CharField(max_length=60, required=False, allow_blank=True)
    account = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="An account of the tenant: its name, its twelve digits or its id in accounts/.",
    )
    region = serializers.CharField(max_length=30, required=False)
    owner = serializers.CharField(max_length=120, required=False, allow_blank=True)
    repository = serializers.CharField(required=False, allow_blank=True)
    on_call = serializers.CharField(max_length=200, required=False, allow_blank=True)
    links = PlaceLinkShape(many=True, required=False)


class NewEnvironmentShape(EnvironmentEditShape):
    tenant = serializers.CharField(help_text="Slug.")
    name = serializers.CharField(max_length=80)
    slug = serializers.CharField(max_length=40, required=False, help_text="Made from the name if left out.")
    variables = ValuesField(required=False, help_text="Values of its first definition.")


class CloneShape(serializers.Serializer[Environment]):
    name = serializers.CharField(max_length=80)
    slug = serializers.CharField(max_length=40, required=False, help_text="Made from the name if left out.")
    account = serializers.CharField(required=False, allow_null=True, help_text="As in environments/.")
    region = serializers.CharField(max_length=30, required=False, allow_blank=True)


class NewHoldShape(serializers.Serializer[Environment]):
    reason = serializers.CharField(max_length=300)
    until = serializers.DateTimeField(required=False, allow_null=True)


class RetireShape(serializers.Serializer[Environment]):
    confirm_name = serializers.CharField(help_text=f"The environment's id, {ID_HELP}, typed out.")


class MembershipShape(serializers.ModelSerializer[Membership]):
    tenant = serializers.CharField(source="tenant.slug", read_only=True)
    tenant_name = serializers.CharField(source="tenant.name", read_only=True)
    user = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(source="user.__str__", read_only=True, help_text="The person's name.")

    class Meta:
        model = Membership
        fields = ("id", "tenant", "tenant_name", "user", "name", "role", "created_at")
        read_only_fields = fields


class NewMembershipShape(serializers.Serializer[Membership]):
    tenant = serializers.CharField(help_text="Slug.")
    user = serializers.CharField(help_text="Sign-in name.")
    role = serializers.ChoiceField(choices=Role.choices)


class ResourceShape(serializers.ModelSerializer[Resource]):
    id = serializers.CharField(source="provider_id", help_text="The provider's id, such as vpc-0a1b.")
    environment = serializers.CharField(source="environment.key", help_text=ID_HELP)
    tenant = serializers.CharField(source="environment.tenant.slug")
    attributes = serializers.DictField(help_text="Those that are not sensitive.")

    class Meta:
        model = Resource
        fields = (
            "id",
            "environment",
            "tenant",
            "address",
            "module",
            "type",
            "name",
            "arn",
            "region",
            "attributes",
            "first_seen_at",
            "seen_at",
        )
        read_only_fields = fields
