"""Tenants, accounts, memberships and resources in the API."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from environments import actions
from environments import serializers as shapes
from environments.models import AwsAccount, Membership, Resource, Tenant
from portal.accounts.access import Rule
from portal.accounts.models import User
from portal.accounts.permissions import DeclaredAccess
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput

Plain = dict[str, Any]
TENANT = OpenApiParameter("tenant", OpenApiTypes.STR, description="Slug.")


def tenant_named(user: User, slug: str) -> Tenant:
    """The tenant, or 404 for those who may not see it."""
    found = Tenant.objects.visible_to(user).filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _plain(data: Plain) -> Plain:
    return data | ({"links": [dict(link) for link in data["links"]]} if "links" in data else {})


class Tenants(generics.ListAPIView[Tenant]):
    """Tenants where you have a role."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.TenantShape
    queryset = Tenant.objects.none()
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[Tenant]:
        return Tenant.objects.visible_to(cast(User, self.request.user))

    @extend_schema(request=shapes.TenantShape, responses={201: shapes.TenantShape})
    def post(self, request: Request) -> Response:
        """Take in a tenant; for portal administrators."""
        body = shapes.TenantShape(data=request.data)
        body.is_valid(raise_exception=True)
        made = actions.create_tenant(by=principal_of(request), **_plain(body.validated_data))
        return Response(shapes.TenantShape(made).data, status=201)


class OneTenant(generics.GenericAPIView[Tenant]):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.TenantShape

    @extend_schema(responses=shapes.TenantShape)
    def get(self, request: Request, slug: str) -> Response:
        return Response(shapes.TenantShape(tenant_named(cast(User, request.user), slug)).data)

    @extend_schema(request=shapes.TenantEditShape, responses=shapes.TenantShape)
    def patch(self, request: Request, slug: str) -> Response:
        """Alter what is known of a tenant."""
        found = tenant_named(cast(User, request.user), slug)
        body = shapes.TenantEditShape(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        actions.update_tenant(by=principal_of(request), tenant=found, **_plain(body.validated_data))
        return Response(shapes.TenantShape(found).data)


class Accounts(generics.ListAPIView[AwsAccount]):
    """AWS accounts of your tenants; `sandbox` says which AWS each is."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.AccountShape
    queryset = AwsAccount.objects.none()
    ordering = ("tenant__name", "name")

    def get_queryset(self) -> QuerySet[AwsAccount]:
        rows = AwsAccount.objects.visible_to(cast(User, self.request.user))
        tenant = self.request.query_params.get("tenant")
        rows = rows.filter(tenant__slug=tenant) if tenant else rows
        return rows.select_related("tenant").prefetch_related("environments")

    @extend_schema(parameters=[TENANT])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=shapes.NewAccountShape, responses={201: shapes.AccountShape})
    def post(self, request: Request) -> Response:
        """Register an AWS account with a tenant."""
        body = shapes.NewAccountShape(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        tenant = tenant_named(cast(User, request.user), fields.pop("tenant_slug"))
        made = actions.create_account(by=principal_of(request), tenant=tenant, **fields)
        return Response(shapes.AccountShape(made).data, status=201)


class OneAccount(generics.GenericAPIView[AwsAccount]):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.AccountShape

    def _find(self, request: Request, pk: int) -> AwsAccount:
        rows = AwsAccount.objects.visible_to(cast(User, request.user)).select_related("tenant")
        found: AwsAccount = get_object_or_404(rows, pk=pk)
        return found

    @extend_schema(responses=shapes.AccountShape)
    def get(self, request: Request, pk: int) -> Response:
        return Response(shapes.AccountShape(self._find(request, pk)).data)

    @extend_schema(request=shapes.AccountShape, responses=shapes.AccountShape)
    def patch(self, request: Request, pk: int) -> Response:
        found = self._find(request, pk)
        body = shapes.AccountShape(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        actions.update_account(by=principal_of(request), account=found, **body.validated_data)
        return Response(shapes.AccountShape(found).data)


class Memberships(generics.ListAPIView[Membership]):
    """Who has which role in your tenants."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.MembershipShape
    queryset = Membership.objects.none()
    ordering = ("tenant__name", "user__username", "role")

    def get_queryset(self) -> QuerySet[Membership]:
        query = self.request.query_params
        tenants = Tenant.objects.visible_to(cast(User, self.request.user))
        rows = Membership.objects.filter(tenant__in=tenants).select_related("tenant", "user")
        rows = rows.filter(tenant__slug=query["tenant"]) if query.get("tenant") else rows
        return rows.filter(user__username=query["user"]) if query.get("user") else rows

    @extend_schema(
        parameters=[TENANT, OpenApiParameter("user", OpenApiTypes.STR, description="Sign-in name.")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=shapes.NewMembershipShape, responses={201: shapes.MembershipShape})
    def post(self, request: Request) -> Response:
        """Give a person a role. Having it already is fine."""
        body = shapes.NewMembershipShape(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        tenant = tenant_named(cast(User, request.user), data["tenant"])
        person = User.objects.filter(username=data["user"]).first()
        if person is None:
            raise InvalidInput({"user": [_("Nobody has this user name.")]})
        given = actions.grant_role(by=principal_of(request), tenant=tenant, user=person, role=data["role"])
        return Response(shapes.MembershipShape(given).data, status=201)


class OneMembership(generics.GenericAPIView[Membership]):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    serializer_class = shapes.MembershipShape

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take the role away."""
        tenants = Tenant.objects.visible_to(cast(User, request.user))
        rows = Membership.objects.filter(tenant__in=tenants).select_related("tenant", "user")
        held: Membership = get_object_or_404(rows, pk=pk)
        actions.revoke_role(by=principal_of(request), tenant=held.tenant, user=held.user, role=held.role)
        return Response(status=204)


class Resources(generics.ListAPIView[Resource]):
    """What your environments' states hold, as read after the last apply."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    environment_tokens = True
    serializer_class = shapes.ResourceShape
    queryset = Resource.objects.none()
    ordering = ("environment__tenant__slug", "environment__slug", "address")

    def get_queryset(self) -> QuerySet[Resource]:
        query, token = self.request.query_params, principal_of(self.request).token
        rows = Resource.objects.visible_to(cast(User, self.request.user))
        for key in (query.get("environment"), token.environment_id if token else ""):
            if key:
                tenant, _dot, slug = key.partition(".")
                rows = rows.filter(environment__tenant__slug=tenant, environment__slug=slug)
        rows = rows.filter(type=query["type"]) if query.get("type") else rows
        rows = rows.matching(query["q"]) if query.get("q") else rows
        return rows.select_related("environment__tenant")

    @extend_schema(
        parameters=[
            OpenApiParameter("environment", OpenApiTypes.STR, description=shapes.ID_HELP),
            OpenApiParameter("type", OpenApiTypes.STR, description="Such as aws_subnet."),
            OpenApiParameter("q", OpenApiTypes.STR, description="Any part of address, id or ARN."),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


api_urls = [
    path("tenants/", Tenants.as_view(), name="tenants"),
    path("tenants/<slug:slug>/", OneTenant.as_view(), name="tenant"),
    path("accounts/", Accounts.as_view(), name="accounts"),
    path("accounts/<int:pk>/", OneAccount.as_view(), name="account"),
    path("memberships/", Memberships.as_view(), name="memberships"),
    path("memberships/<int:pk>/", OneMembership.as_view(), name="membership"),
    path("resources/", Resources.as_view(), name="resources"),
]
