"""The audit log in the API."""

from __future__ import annotations

from typing import cast

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from environments.activity import reading
from environments.activity.forms import ActivityFilter
from portal.accounts.access import Rule
from portal.accounts.models import User
from portal.accounts.permissions import DeclaredAccess
from portal.audit.models import AuditEvent, Outcome
from portal.audit.querysets import AuditEventQuerySet
from portal.core.errors import InvalidInput
from portal.core.pagination import KeysetPagination


class AuditEventShape(serializers.ModelSerializer[AuditEvent]):
    id = serializers.UUIDField(source="uuid", read_only=True)
    actor_roles = serializers.ListField(child=serializers.CharField(), read_only=True)
    before = serializers.DictField(allow_null=True, read_only=True, help_text="Secrets are masked.")
    after = serializers.DictField(allow_null=True, read_only=True, help_text="Secrets are masked.")

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "at",
            "actor_id",
            "actor_name",
            "actor_kind",
            "actor_roles",
            "address",
            "request_id",
            "action",
            "outcome",
            "target_type",
            "target_id",
            "target_name",
            "tenant_id",
            "tenant_name",
            "environment",
            "before",
            "after",
            "detail",
            "chain",
            "sequence",
            "previous_hash",
            "hash",
        )
        read_only_fields = fields


class AuditEventPageShape(serializers.Serializer[AuditEvent]):
    results = AuditEventShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def _parameter(name: str, text: str, **options: object) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=text, **options)  # type: ignore[arg-type]


FILTERS = [
    _parameter("tenant", "A tenant's slug, or \"portal\" for the portal's own chain."),
    _parameter("environment", "An environment's slug."),
    _parameter("actor", "An actor's id, or a part of the name."),
    _parameter("action", 'A whole action, or a family with its dot: "change.".'),
    _parameter("target", 'An id, "type:id", or a part of the name.'),
    _parameter("outcome", "How it ended.", enum=list(Outcome.values)),
    _parameter("since", "From this time on: 2026-01-31 or 2026-01-31T09:00, in your time zone."),
    _parameter("until", "Up to but not at this time."),
    _parameter("cursor", "Position in the list, from `next` or `previous`."),
    OpenApiParameter("page_size", OpenApiTypes.INT, description="Rows per page, at most 200."),
]


class AuditEvents(APIView):
    """The audit log, newest first: of the tenants you audit or administer; portal administrators read all."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    ordering = ("-at",)

    @extend_schema(parameters=FILTERS, responses=AuditEventPageShape, operation_id="audit_events_list")
    def get(self, request: Request) -> Response:
        pages = KeysetPagination()
        rows = pages.paginate_queryset(_found(request), request, view=self)
        return pages.get_paginated_response(AuditEventShape(rows, many=True).data)


class OneAuditEvent(APIView):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]

    @extend_schema(responses=AuditEventShape)
    def get(self, request: Request, uuid: str) -> Response:
        user = cast(User, request.user)
        events = reading.visible_to(user, reading.readable_tenants(user))
        return Response(AuditEventShape(get_object_or_404(events, uuid=uuid)).data)


def _found(request: Request) -> AuditEventQuerySet:
    user = cast(User, request.user)
    tenants = reading.readable_tenants(user)
    events = reading.visible_to(user, tenants)
    form = ActivityFilter(request.query_params, tenants=tenants, portal=user.is_portal_admin)
    if not form.is_valid():
        raise InvalidInput({name: [str(text) for text in texts] for name, texts in form.errors.items()})
    return form.narrow(events)


api_urls = [
    path("audit-events/", AuditEvents.as_view(), name="audit_events"),
    path("audit-events/<uuid:uuid>/", OneAuditEvent.as_view(), name="audit_event"),
]
