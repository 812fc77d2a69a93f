"""Extras in the API: what Terraform does not see, and what people do about it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.changes.models import Start
from environments.changes.serializers import ChangeShape
from environments.runs.api import Place
from environments.runs.live import actions as live_actions
from environments.runs.live import hcl as live_hcl
from environments.runs.live import rows as live_rows
from environments.runs.live import text
from environments.runs.models import LiveCheck, LiveExtra
from portal.accounts.principals import principal_of
from portal.core.pagination import KeysetPagination


class ExtraShape(serializers.Serializer[LiveExtra]):
    id = serializers.IntegerField(source="pk")
    kind = serializers.CharField(help_text="security_group_rule, policy_attachment or public_access")
    address = serializers.CharField(help_text="The managed resource it sits on.")
    resource_id = serializers.CharField()
    key = serializers.CharField(help_text="What it is, in one line.")
    title = serializers.SerializerMethodField()
    risk = serializers.IntegerField(help_text="0 to 100; 90 and more is high.")
    why = serializers.SerializerMethodField()
    added_by = serializers.CharField(help_text="As CloudTrail tells; empty when it tells of nobody.")
    added_at = serializers.DateTimeField(allow_null=True)
    unknown = serializers.SerializerMethodField(help_text="Why nobody is named.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    state = serializers.SerializerMethodField(help_text="open, allowed or adopted")
    allowed_until = serializers.DateTimeField(allow_null=True)
    adopted_at = serializers.DateTimeField(allow_null=True)
    settled_by = serializers.CharField()
    reason = serializers.CharField()
    hcl = serializers.SerializerMethodField(help_text="What makes Terraform own it.")

    def get_title(self, row: LiveExtra) -> str:
        return text.title(row)

    def get_why(self, row: LiveExtra) -> str:
        return text.why(row)

    def get_unknown(self, row: LiveExtra) -> str:
        return text.unknown_why(row)

    def get_state(self, row: LiveExtra) -> str:
        if row.adopted_at is not None:
            return "adopted"
        allowed = row.allowed_until is not None and row.allowed_until > timezone.now()
        return "allowed" if allowed else "open"

    def get_hcl(self, row: LiveExtra) -> str:
        return live_hcl.snippet(row)


class LookShape(serializers.Serializer[LiveCheck]):
    taken_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why the last look failed, wholly or in part.")
    error_at = serializers.DateTimeField(allow_null=True)


class ExtraPageShape(serializers.Serializer[LiveExtra]):
    look = LookShape()
    results = ExtraShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class AllowShape(serializers.Serializer[LiveExtra]):
    until = serializers.DateTimeField(help_text="At most a year from now.")
    reason = serializers.CharField(max_length=live_actions.MAX_REASON)


class AdoptShape(serializers.Serializer[LiveExtra]):
    reason = serializers.CharField(max_length=live_actions.MAX_REASON)


class RemoveShape(serializers.Serializer[LiveExtra]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=live_actions.MAX_REASON)
    start = serializers.ChoiceField(choices=Start.choices, required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)


class Extras(Place):
    ordering = ("-risk", "id")

    @extend_schema(operation_id="environment_live_extras", responses=ExtraPageShape)
    def get(self, request: Request, environment: str) -> Response:
        """What stands in AWS beside the state now, the worst first; adopted and allowed ones included."""
        place = self.place(environment)
        pages = KeysetPagination()
        page = pages.paginate_queryset(live_rows.open_extras(place), request, view=self) or []
        answer = pages.get_paginated_response([ExtraShape(row).data for row in page])
        check = LiveCheck.objects.filter(environment=place).first() or LiveCheck(environment=place)
        answer.data["look"] = LookShape(check).data
        return answer

    @extend_schema(request=None, responses={202: LookShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for a look now."""
        place = self.place(environment)
        live_actions.check_live(by=principal_of(request), environment=place)
        return Response(LookShape(LiveCheck.objects.get(environment=place)).data, status=202)


class OneExtra(Place):
    def one(self, environment: str, pk: int) -> LiveExtra:
        rows: QuerySet[LiveExtra] = LiveExtra.objects.select_related("environment__tenant")
        return get_object_or_404(rows, pk=pk, environment=self.place(environment))


class Allow(OneExtra):
    @extend_schema(request=AllowShape, responses=ExtraShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Live with it until a date; then it counts again."""
        row, form = self.one(environment, pk), AllowShape(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(
            ExtraShape(live_actions.allow(by=principal_of(request), extra=row, **form.validated_data)).data
        )


class Adopt(OneExtra):
    @extend_schema(request=AdoptShape, responses=ExtraShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Accept it as part of the environment; `hcl` says how Terraform comes to own it."""
        row, form = self.one(environment, pk), AdoptShape(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(
            ExtraShape(live_actions.adopt(by=principal_of(request), extra=row, **form.validated_data)).data
        )


class Reopen(OneExtra):
    @extend_schema(request=None, responses=ExtraShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Take an adoption or allowance back."""
        row = self.one(environment, pk)
        return Response(ExtraShape(live_actions.reopen(by=principal_of(request), extra=row)).data)


class Remove(OneExtra):
    @extend_schema(request=RemoveShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Ask for a change that takes exactly this away."""
        row, form = self.one(environment, pk), RemoveShape(data=request.data)
        form.is_valid(raise_exception=True)
        change = live_actions.remove(by=principal_of(request), extra=row, **form.validated_data)
        answer = self.answer(change)
        answer.status_code = 201
        return answer


_HERE = "environments/<str:environment>/live-extras/"
api_urls = [
    path(_HERE, Extras.as_view(), name="live_extras"),
    path(_HERE + "<int:pk>/allow/", Allow.as_view(), name="live_extra_allow"),
    path(_HERE + "<int:pk>/adopt/", Adopt.as_view(), name="live_extra_adopt"),
    path(_HERE + "<int:pk>/reopen/", Reopen.as_view(), name="live_extra_reopen"),
    path(_HERE + "<int:pk>/remove/", Remove.as_view(), name="live_extra_remove"),
]
