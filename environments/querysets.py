"""What a person may see of the tenants' rows; unseen is 404."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

if TYPE_CHECKING:
    from environments.models import AwsAccount, Environment, Hold, Resource, Tenant  # noqa: F401 - named by strings in base classes
    from portal.accounts.models import User


class TenantQuerySet(QuerySet["Tenant"]):
    def visible_to(self, user: User) -> TenantQuerySet:
        """Tenants where the person has any role; portal administrators see all."""
        if user.is_portal_admin:
            return self
        return self.filter(pk__in=user.memberships.values("tenant_id"))


class AwsAccountQuerySet(QuerySet["AwsAccount"]):
    def visible_to(self, user: User) -> AwsAccountQuerySet:
        if user.is_portal_admin:
            return self
        return self.filter(tenant_id__in=user.memberships.values("tenant_id"))


class EnvironmentQuerySet(QuerySet["Environment"]):
    def visible_to(self, user: User) -> EnvironmentQuerySet:
        if user.is_portal_admin:
            return self
        return self.filter(tenant_id__in=user.memberships.values("tenant_id"))

    def active(self) -> EnvironmentQuerySet:
        return self.filter(retired_at=None)

    def by_key(self, key: str) -> EnvironmentQuerySet:
        """Those with the id "tenant-slug.environment-slug": one or none."""
        tenant, _, slug = key.partition(".")
        return self.filter(tenant__slug=tenant, slug=slug)


class HoldQuerySet(QuerySet["Hold"]):
    def active(self) -> HoldQuerySet:
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()), lifted_at=None)


class ResourceQuerySet(QuerySet["Resource"]):
    def visible_to(self, user: User) -> ResourceQuerySet:
        if user.is_portal_admin:
            return self
        return self.filter(environment__tenant_id__in=user.memberships.values("tenant_id"))

    def matching(self, text: str) -> ResourceQuerySet:
        """Any part of address, id or ARN."""
        return self.filter(
            Q(address__icontains=text) | Q(provider_id__icontains=text) | Q(arn__icontains=text)
        )
