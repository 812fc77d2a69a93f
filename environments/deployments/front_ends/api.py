"""Front ends in the API: what there is, uploading a build, going back to a release."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from environments.changes.models import Start
from environments.changes.serializers import ChangeShape
from environments.deployments.api import Place
from environments.deployments.front_ends import actions, shown, uploads
from environments.deployments.front_ends.forms import LONGEST_REASON
from environments.deployments.front_ends.places import front_ends_of
from portal.accounts.principals import principal_of
from portal.core.wellformed import WellFormedJSONParser

NAME_HELP = (
    "Its short name, its bucket, or the bucket's address in the state; may be left out where there is one."
)


class ReleaseShape(serializers.Serializer[Any]):
    number = serializers.IntegerField(source="row.number")
    label = serializers.CharField(source="row.label")  # type: ignore[assignment]
    sha256 = serializers.CharField(source="row.sha256")
    size = serializers.IntegerField(source="row.size", help_text="Bytes, unpacked.")
    uploaded_by = serializers.CharField(source="row.uploaded_by")
    created_at = serializers.DateTimeField(source="row.created_at")
    in_force = serializers.BooleanField()
    last_good = serializers.BooleanField(help_text="Going back to it asks nobody by default.")
    kept = serializers.BooleanField(help_text="Whether it can be put in force again.")


class FrontEndShape(serializers.Serializer[Any]):
    key = serializers.CharField(source="front_end.key")
    address = serializers.CharField(source="front_end.address")
    bucket = serializers.CharField(source="front_end.bucket")
    distribution = serializers.CharField(source="front_end.distribution_id")
    url = serializers.CharField(source="front_end.url")
    releases = ReleaseShape(many=True)


class FrontEndListShape(serializers.Serializer[Any]):
    results = FrontEndShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class NewReleaseShape(serializers.Serializer[Any]):
    file = serializers.FileField(
        allow_empty_file=True, help_text="The build: a zip with its index at the top."
    )
    front_end = serializers.CharField(required=False, max_length=500, help_text=NAME_HELP)
    label = serializers.CharField(required=False, allow_blank=True, max_length=120)  # type: ignore[assignment]
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)
    ticket = serializers.CharField(required=False, allow_blank=True, max_length=60)
    start = serializers.ChoiceField(choices=Start.choices, required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)


class FrontEndRollbackShape(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1, max_value=1_000_000, help_text="The release's number.")
    front_end = serializers.CharField(required=False, max_length=500, help_text=NAME_HELP)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)


class FrontEnds(Place):
    parser_classes = [WellFormedJSONParser, MultiPartParser, FormParser]
    deploy_tokens = ("GET", "HEAD", "POST")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        uploads.limit(request._request)
        super().initial(request, *args, **kwargs)

    @extend_schema(operation_id="environment_front_ends", responses=FrontEndListShape)
    def get(self, request: Request, environment: str) -> Response:
        """The environment's static front ends with their newest releases."""
        place = self.place(environment)
        rows = [FrontEndShape(shown.line(place, one)).data for one in front_ends_of(place)]
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(request={"multipart/form-data": NewReleaseShape}, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Upload a build and ask that it is put in force: a change, executed when its gates let it."""
        place, by = self.place(environment), principal_of(request)
        actions.may_ask(by=by, environment=place)
        form: dict[str, Any] = dict(self.body(NewReleaseShape))
        form["content"] = form.pop("file").read()
        change = actions.request_release(by=by, environment=place, **form)
        return Response(self.answer(change).data, status=201)


class FrontEndRollbacks(Place):
    @extend_schema(request=FrontEndRollbackShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask that a kept release is put in force again."""
        place = self.place(environment)
        form: dict[str, Any] = {"front_end": "", **self.body(FrontEndRollbackShape)}
        change = actions.request_rollback(by=principal_of(request), environment=place, **form)
        return Response(self.answer(change).data, status=201)


_PLACE = "environments/<str:environment>/front-ends/"
front_ends = FrontEnds.as_view()
front_ends.reads_upload = True  # type: ignore[attr-defined]
api_urls = [
    path(_PLACE, front_ends, name="front_ends"),
    path(_PLACE + "rollback/", FrontEndRollbacks.as_view(), name="front_end_rollback"),
]
