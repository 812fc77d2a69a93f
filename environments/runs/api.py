"""Runs, outputs and state versions in the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.blueprints.api import visible_environment
from environments.changes.api import Part
from environments.changes.serializers import ChangeShape
from environments.models import Environment
from environments.runs import actions
from environments.runs import serializers as shapes
from environments.runs.models import ResourceChange, StateVersion
from portal.accounts.principals import principal_of
from portal.core.pagination import KeysetPagination


class Place(Part):
    """A part of one environment's API."""

    def place(self, environment: str) -> Environment:
        return visible_environment(principal_of(self.request), self.user, environment)


class Runs(Place):
    @extend_schema(request=shapes.NewRunShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for a Terraform run: a change that is planned at once and applied when its gates let it."""
        place = self.place(environment)
        form = shapes.NewRunShape(data=request.data)
        form.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(form.validated_data)
        if "definition" in wanted:
            wanted["definition"] = get_object_or_404(place.definitions, number=wanted["definition"])
        wanted["links"] = [dict(link) for link in wanted.get("links", [])]
        change = actions.request_run(by=principal_of(request), environment=place, **wanted)
        answer = self.answer(change)
        answer.status_code = 201
        return answer


class ResourceChanges(Part):
    ordering = ("rank", "position")

    @extend_schema(operation_id="change_resource_changes", responses=shapes.ResourceChangePageShape)
    def get(self, request: Request, uuid: UUID) -> Response:
        """What the current proposal does to each resource, destruction first; sensitive values masked."""
        change = self.find(uuid)
        found = ResourceChange.objects.filter(proposal=change.proposal) if change.proposal else None
        rows = found if found is not None else ResourceChange.objects.none()
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([shapes.ResourceChangeShape(row).data for row in page])


class Outputs(Place):
    @extend_schema(operation_id="environment_outputs", responses=shapes.OutputListShape)
    def get(self, request: Request, environment: str) -> Response:
        """Outputs of the last apply; sensitive values are null."""
        rows = self.place(environment).outputs.all()
        return Response(
            {"results": [shapes.shown_output(row) for row in rows], "next": None, "previous": None}
        )


class StateVersions(Place):
    ordering = ("-number",)

    @extend_schema(operation_id="environment_state_versions", responses=shapes.StateVersionPageShape)
    def get(self, request: Request, environment: str) -> Response:
        """Versions of the state, newest first, without their content."""
        found = (
            StateVersion.objects.light().filter(environment=self.place(environment)).select_related("change")
        )
        pages = KeysetPagination()
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response([shapes.StateVersionShape(row).data for row in page])


_PLACE = "environments/<str:environment>/"
api_urls = [
    path(_PLACE + "runs/", Runs.as_view(), name="runs"),
    path(_PLACE + "outputs/", Outputs.as_view(), name="outputs"),
    path(_PLACE + "state-versions/", StateVersions.as_view(), name="state_versions"),
    path("changes/<uuid:uuid>/resource-changes/", ResourceChanges.as_view(), name="resource_changes"),
]
