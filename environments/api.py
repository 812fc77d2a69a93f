"""Environments in the API, and the addresses of this app's part of it."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from django.utils.text import slugify
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from environments import actions, api_places
from environments import serializers as shapes
from environments.models import AwsAccount, Environment, Tenant
from environments.shown import environments_as_json
from portal.accounts.access import Rule
from portal.accounts.models import User
from portal.accounts.permissions import DeclaredAccess
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict, InvalidInput
from portal.core.pagination import KeysetPagination

Plain = dict[str, Any]
PAGING = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="Position in the list, from `next`."),
    OpenApiParameter("page_size", OpenApiTypes.INT, description="Rows per page, at most 200."),
]
FILTERS = [
    OpenApiParameter("tenant", OpenApiTypes.STR, description="Slug."),
    OpenApiParameter("environment_class", OpenApiTypes.STR, enum=list(Environment.Class.values)),
    OpenApiParameter("blueprint", OpenApiTypes.STR),
    OpenApiParameter("retired", OpenApiTypes.BOOL, description="The retired ones instead of the live."),
]


class Part(APIView):
    """What the environments' views share: who may come, finding, answering."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    environment_tokens = True

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def visible(self) -> QuerySet[Environment]:
        """Environments that the person and their token reach."""
        rows = Environment.objects.visible_to(self.user)
        token = principal_of(self.request).token
        if token is not None and token.environment_id:
            rows = rows.by_key(token.environment_id)
        return rows.select_related("tenant", "account", "cloned_from__tenant")

    def find(self, key: str) -> Environment:
        tenant, _dot, slug = key.partition(".")
        found = self.visible().filter(tenant__slug=tenant, slug=slug).first()
        if found is None:
            raise Http404
        return found

    def body(self, shape: type[Serializer[Any]]) -> Plain:
        """The posted fields, checked; wrong ones are a 400 that names them."""
        form = shape(data=self.request.data)
        form.is_valid(raise_exception=True)
        return cast(Plain, form.validated_data)

    def answer(self, environment: Environment, status: int = 200) -> Response:
        fresh = self.visible().get(pk=environment.pk)
        return Response(environments_as_json([fresh], self.user)[0], status=status)


def account_of(tenant: Tenant, named: str | None) -> AwsAccount | None:
    """The tenant's account of this name, these twelve digits or this id. Raises InvalidInput."""
    if not named:
        return None
    rows = tenant.accounts.all()
    asked = [rows.filter(name=named), rows.filter(account_id=named)]
    asked += [rows.filter(pk=int(named))] if named.isascii() and named.isdigit() and len(named) < 12 else []
    for found in asked:
        matches = list(found[:2])
        if len(matches) == 1:
            return matches[0]
    raise InvalidInput({"account": [_("This tenant has no account “%(name)s”.") % {"name": named[:80]}]})


def _wanted(body: Plain, tenant: Tenant) -> Plain:
    """Fields for an action: the account as a row, links as plain dicts."""
    wanted = dict(body)
    if "account" in wanted:
        wanted["account"] = account_of(tenant, wanted["account"])
    if "links" in wanted:
        wanted["links"] = [dict(link) for link in wanted["links"]]
    return wanted


class Environments(Part):
    ordering = ("tenant__name", "slug")
    # Making one is not for a token that is narrowed to another.
    environment_tokens = True

    @extend_schema(
        operation_id="environments_list",
        parameters=[*FILTERS, *PAGING],
        responses=shapes.EnvironmentPageShape,
    )
    def get(self, request: Request) -> Response:
        """Environments that you may see, by tenant and name."""
        query = request.query_params
        wanted = {
            "tenant": "tenant__slug",
            "environment_class": "environment_class",
            "blueprint": "blueprint",
        }
        rows = self.visible().filter(
            **{field: query[name] for name, field in wanted.items() if query.get(name)}
        )
        rows = rows.filter(retired_at__isnull=query.get("retired", "").lower() not in ("true", "1"))
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(environments_as_json(page, self.user))

    @extend_schema(request=shapes.NewEnvironmentShape, responses={201: shapes.EnvironmentShape})
    def post(self, request: Request) -> Response:
        """Describe an environment; with `variables` its first definition is made in the same step."""
        body = self.body(shapes.NewEnvironmentShape)
        by = principal_of(request)
        tenant = Tenant.objects.visible_to(self.user).filter(slug=body.pop("tenant")).first()
        if tenant is None or not by.reaches(""):
            raise Http404
        body.setdefault("slug", slugify(body["name"]))
        return self.answer(actions.create_environment(by=by, tenant=tenant, **_wanted(body, tenant)), 201)


class OneEnvironment(Part):
    @extend_schema(operation_id="environment", responses=shapes.EnvironmentShape)
    def get(self, request: Request, environment: str) -> Response:
        return self.answer(self.find(environment))

    @extend_schema(request=shapes.EnvironmentEditShape, responses=shapes.EnvironmentShape)
    def patch(self, request: Request, environment: str) -> Response:
        """Alter the description."""
        place = self.find(environment)
        wanted = _wanted(self.body(shapes.EnvironmentEditShape), place.tenant)
        return self.answer(actions.update_environment(by=principal_of(request), environment=place, **wanted))


class Clone(Part):
    @extend_schema(request=shapes.CloneShape, responses={201: shapes.EnvironmentShape})
    def post(self, request: Request, environment: str) -> Response:
        """A new environment with the newest definition of this one, its secrets left out."""
        source, body = self.find(environment), self.body(shapes.CloneShape)
        if not principal_of(request).reaches(""):
            raise Http404
        made = actions.clone_environment(
            by=principal_of(request),
            source=source,
            name=body["name"],
            slug=body.get("slug") or slugify(body["name"]),
            account=account_of(source.tenant, body["account"]) if "account" in body else source.account,
            region=body.get("region", ""),
        )
        return self.answer(made, 201)


class Holding(Part):
    @extend_schema(request=shapes.NewHoldShape, responses={201: shapes.EnvironmentShape})
    def post(self, request: Request, environment: str) -> Response:
        """Stop new starts here; what runs already goes on."""
        place, body = self.find(environment), self.body(shapes.NewHoldShape)
        actions.place_hold(by=principal_of(request), environment=place, **body)
        return self.answer(place, 201)


class Release(Part):
    @extend_schema(request=None, responses=shapes.EnvironmentShape)
    def post(self, request: Request, environment: str) -> Response:
        """Lift the hold."""
        place = self.find(environment)
        standing = place.active_hold
        if standing is None:
            raise Conflict(_("It is not on hold."))
        actions.release_hold(by=principal_of(request), hold=standing)
        return self.answer(place)


class Retire(Part):
    @extend_schema(request=shapes.RetireShape, responses=shapes.EnvironmentShape)
    def post(self, request: Request, environment: str) -> Response:
        """Take it out of service; its history stays."""
        place, body = self.find(environment), self.body(shapes.RetireShape)
        actions.retire_environment(by=principal_of(request), environment=place, **body)
        return self.answer(place)


_ID = "environments/<str:environment>/"
api_urls = [
    *api_places.api_urls,
    path("environments/", Environments.as_view(), name="environments"),
    path(_ID, OneEnvironment.as_view(), name="environment"),
    path(_ID + "clone/", Clone.as_view(), name="environment_clone"),
    path(_ID + "hold/", Holding.as_view(), name="environment_hold"),
    path(_ID + "release/", Release.as_view(), name="environment_release"),
    path(_ID + "retire/", Retire.as_view(), name="environment_retire"),
]
