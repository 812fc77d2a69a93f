"""History and figures of deployments in the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.blueprints.api import visible_environment
from environments.changes.api import Part
from environments.deployments.history import figures, rows
from environments.deployments.history.dora import DAYS
from environments.deployments.models import DeploymentPart
from environments.deployments.services import service_of
from environments.models import Environment
from portal.accounts.principals import principal_of
from portal.core.pagination import KeysetPagination

DAYS_ASKED = OpenApiParameter(
    "days", OpenApiTypes.INT, enum=list(DAYS), description="The time that the figures are about."
)


class ImageShape(serializers.Serializer[Any]):
    tag = serializers.CharField()
    digest = serializers.CharField()


class DeploymentRowShape(serializers.Serializer[Any]):
    change = serializers.UUIDField()
    service = serializers.CharField()
    service_arn = serializers.CharField()
    act = serializers.CharField()
    strategy = serializers.CharField()
    image = ImageShape()
    revision = serializers.CharField()
    status = serializers.CharField(help_text="Of the change.")
    outcome = serializers.CharField(help_text="For this service; empty while it has none.")
    reason = serializers.CharField()
    title = serializers.CharField()
    requested_by = serializers.CharField()
    approved_by = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(help_text="The page.")


class DeploymentPageShape(serializers.Serializer[Any]):
    results = DeploymentRowShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class FiguresShape(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    recorded_since = serializers.DateTimeField(allow_null=True)
    deployments = serializers.IntegerField(allow_null=True, help_text="Null, here and below: not known.")
    per_week = serializers.FloatField(allow_null=True)
    lead_time_seconds = serializers.FloatField(allow_null=True)
    lead_time_samples = serializers.IntegerField()
    failure_rate = serializers.FloatField(allow_null=True, help_text="From 0 to 1.")
    failures = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    restore_seconds = serializers.FloatField(allow_null=True)
    restore_samples = serializers.IntegerField()
    not_restored = serializers.IntegerField()


class HistoryPart(Part):
    """Rows of one environment or one of its services, newest first."""

    ordering = ("-pk",)

    def place(self, environment: str) -> Environment:
        return visible_environment(principal_of(self.request), self.user, environment)

    def arn(self, place: Environment, name: str) -> str:
        """The service's ARN, whether it still stands in the inventory or only in the history."""
        service = service_of(place, name)
        if service is not None:
            return service.arn
        gone = rows.of_environment(place).filter(service=name).values_list("service_arn", flat=True)
        found = gone.order_by("-pk").first()
        if found is None:
            raise Http404
        return found

    def listed(self, request: Request, parts: Any) -> Response:
        pages = KeysetPagination()
        page: list[DeploymentPart] = pages.paginate_queryset(rows.listed(parts), request, view=self) or []
        return pages.get_paginated_response([rows.plain(row) for row in rows.rows(page)])

    def figures(self, request: Request, parts: Any) -> Response:
        text = request.query_params.get("days", "")
        days = next((days for days in DAYS if str(days) == text), DAYS[0])
        return Response(figures.plain(figures.measured(parts, days), days))


class EnvironmentHistory(HistoryPart):
    @extend_schema(operation_id="environment_deployments", responses=DeploymentPageShape)
    def get(self, request: Request, environment: str) -> Response:
        """What was deployed here through the portal, a row for each service of a change, newest first."""
        return self.listed(request, rows.of_environment(self.place(environment)))


class ServiceHistory(HistoryPart):
    @extend_schema(operation_id="service_history", responses=DeploymentPageShape)
    def get(self, request: Request, environment: str, name: str) -> Response:
        """Deployments of one service through the portal, newest first."""
        place = self.place(environment)
        return self.listed(request, rows.of_service(place, self.arn(place, name)))


class ServiceFigures(HistoryPart):
    @extend_schema(operation_id="service_figures", parameters=[DAYS_ASKED], responses=FiguresShape)
    def get(self, request: Request, environment: str, name: str) -> Response:
        """How often, how fast, how often it went wrong, how fast it was right again: of one service."""
        place = self.place(environment)
        return self.figures(request, rows.of_service(place, self.arn(place, name)))


class Figures(HistoryPart):
    @extend_schema(operation_id="deployment_figures", parameters=[DAYS_ASKED], responses=FiguresShape)
    def get(self, request: Request, environment: str) -> Response:
        """The same of all services of the environment together."""
        return self.figures(request, rows.of_environment(self.place(environment)))


_PLACE = "environments/<str:environment>/"
api_urls = [
    path(_PLACE + "deployments/figures/", Figures.as_view(), name="deployment_figures"),
    path(_PLACE + "services/<str:name>/history/", ServiceHistory.as_view(), name="service_history"),
    path(_PLACE + "services/<str:name>/figures/", ServiceFigures.as_view(), name="service_figures"),
]
