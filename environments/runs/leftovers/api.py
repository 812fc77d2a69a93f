"""What interrupted runs left, in the API."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.runs.api import Place
from environments.runs.leftovers import actions
from environments.runs.models import Leftover
from portal.accounts.principals import principal_of
from portal.core.pagination import KeysetPagination


class LeftoverShape(serializers.Serializer[Leftover]):
    id = serializers.IntegerField(source="pk")
    change = serializers.UUIDField(source="change.uuid", help_text="The change that left it.")
    address = serializers.CharField()
    type = serializers.CharField()
    resource_id = serializers.CharField(help_text="What it is imported by; empty while nobody knows.")
    made_at = serializers.DateTimeField(allow_null=True, help_text="null: begun; perhaps it exists.")
    state = serializers.CharField(help_text="open, importing, imported or dismissed")
    settled_by = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class LeftoverPageShape(serializers.Serializer[Leftover]):
    results = LeftoverShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ImportShape(serializers.Serializer[Leftover]):
    resource_id = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=actions.LONGEST_ID,
        help_text="Another id than the one that is known.",
    )


class DismissShape(serializers.Serializer[Leftover]):
    reason = serializers.CharField(max_length=4000)


class Leftovers(Place):
    ordering = ("pk",)

    @extend_schema(operation_id="environment_leftovers", responses=LeftoverPageShape)
    def get(self, request: Request, environment: str) -> Response:
        """Resources that interrupted runs left outside the state, with what was decided about each."""
        rows = Leftover.objects.filter(environment=self.place(environment)).select_related("change")
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([LeftoverShape(row).data for row in page])


class Decision(Place):
    """What both decisions share."""

    def leftover(self, environment: str, pk: int) -> Leftover:
        rows = Leftover.objects.select_related("change", "environment__tenant")
        return get_object_or_404(rows, environment=self.place(environment), pk=pk)


class Import(Decision):
    @extend_schema(request=ImportShape, responses=LeftoverShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Let the next plan import it."""
        row = self.leftover(environment, pk)
        form = ImportShape(data=request.data)
        form.is_valid(raise_exception=True)
        row = actions.import_leftover(by=principal_of(request), leftover=row, **form.validated_data)
        return Response(LeftoverShape(row).data)


class Dismiss(Decision):
    @extend_schema(request=DismissShape, responses=LeftoverShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Say that the state shall not have it."""
        row = self.leftover(environment, pk)
        form = DismissShape(data=request.data)
        form.is_valid(raise_exception=True)
        row = actions.dismiss(by=principal_of(request), leftover=row, **form.validated_data)
        return Response(LeftoverShape(row).data)


_HERE = "environments/<str:environment>/leftovers/"
api_urls = [
    path(_HERE, Leftovers.as_view(), name="leftovers"),
    path(_HERE + "<int:pk>/import/", Import.as_view(), name="leftover_import"),
    path(_HERE + "<int:pk>/dismiss/", Dismiss.as_view(), name="leftover_dismiss"),
]
