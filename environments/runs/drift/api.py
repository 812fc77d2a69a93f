"""Drift in the API: the last look less what is ignored, and what people do about its rows."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.changes.models import Start
from environments.changes.serializers import ChangeShape
from environments.models import Definition, Environment
from environments.runs import actions
from environments.runs.api import Place
from environments.runs.drift import actions as drift_actions
from environments.runs.drift import rows as drift_rows
from environments.runs.models import DriftCheck, DriftIgnore
from portal.accounts.principals import principal_of


class IgnoreShape(serializers.Serializer[DriftIgnore]):
    id = serializers.IntegerField(source="pk", read_only=True)
    address = serializers.CharField(max_length=500)
    path = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="One attribute; empty: the whole row."
    )
    action = serializers.CharField(read_only=True, help_text="What a run would do; other drift shows again.")
    until = serializers.DateTimeField(help_text="At most a year from now.")
    reason = serializers.CharField(max_length=drift_actions.MAX_REASON)
    by = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class DriftShape(serializers.Serializer[DriftCheck]):
    verdict = serializers.CharField(help_text="never, clean or drifted; clean when the rest is ignored")
    count = serializers.IntegerField(help_text="Rows that are not ignored.")
    taken_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why the last look failed; the verdict is then older.")
    error_at = serializers.DateTimeField(allow_null=True)
    rows = serializers.JSONField()
    ignored = serializers.JSONField(help_text="Rows, or parts of rows, that are ignored until a date.")
    ignores = IgnoreShape(many=True, help_text="Who ignores what, until when and why.")


class RevertShape(serializers.Serializer[DriftCheck]):
    address = serializers.CharField(max_length=500)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    start = serializers.ChoiceField(choices=Start.choices, required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)


class AcceptShape(serializers.Serializer[DriftCheck]):
    address = serializers.CharField(max_length=500)
    path = serializers.CharField(max_length=500, help_text="The drifted attribute.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=150)


class AcceptedShape(serializers.Serializer[Definition]):
    number = serializers.IntegerField()
    note = serializers.CharField()


def shown(environment: Environment) -> dict[str, Any]:
    """The last look as the API says it."""
    check, judged = drift_rows.of(environment)
    ignores = drift_rows.active_ignores().filter(environment=environment)
    return {
        "verdict": judged.verdict,
        "count": judged.count,
        "taken_at": check.taken_at,
        "error": check.error,
        "error_at": check.error_at,
        "rows": list(judged.rows),
        "ignored": [dict(one.row) for one in judged.ignored],
        "ignores": [IgnoreShape(one).data for one in ignores],
    }


class Drift(Place):
    @extend_schema(responses=DriftShape)
    def get(self, request: Request, environment: str) -> Response:
        """The last verdict, with its age, what is ignored, and the error of a later look that failed."""
        return Response(shown(self.place(environment)))

    @extend_schema(request=None, responses={202: DriftShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for a look now."""
        place = self.place(environment)
        actions.check_drift(by=principal_of(request), environment=place)
        return Response(shown(place), status=202)


class Ignores(Place):
    @extend_schema(request=IgnoreShape, responses={201: IgnoreShape})
    def post(self, request: Request, environment: str) -> Response:
        """Leave a row, or one of its attributes, alone until a date."""
        place, form = self.place(environment), IgnoreShape(data=request.data)
        form.is_valid(raise_exception=True)
        made = drift_actions.ignore(by=principal_of(request), environment=place, **form.validated_data)
        return Response(IgnoreShape(made).data, status=201)


class EndIgnore(Place):
    @extend_schema(request=None, responses=IgnoreShape)
    def post(self, request: Request, environment: str, pk: int) -> Response:
        """Let it count again now."""
        rows = DriftIgnore.objects.select_related("environment__tenant")
        ignored = get_object_or_404(rows, pk=pk, environment=self.place(environment))
        drift_actions.end_ignore(by=principal_of(request), ignored=ignored)
        return Response(IgnoreShape(ignored).data)


class Revert(Place):
    @extend_schema(request=RevertShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for an apply of the definition last applied, of this resource alone (-target)."""
        place, form = self.place(environment), RevertShape(data=request.data)
        form.is_valid(raise_exception=True)
        change = drift_actions.revert(by=principal_of(request), environment=place, **form.validated_data)
        answer = self.answer(change)
        answer.status_code = 201
        return answer


class Accept(Place):
    @extend_schema(request=AcceptShape, responses={201: AcceptedShape})
    def post(self, request: Request, environment: str) -> Response:
        """Write the next definition with the value that stands in AWS; nothing is applied."""
        place, form = self.place(environment), AcceptShape(data=request.data)
        form.is_valid(raise_exception=True)
        made = drift_actions.accept(by=principal_of(request), environment=place, **form.validated_data)
        return Response(AcceptedShape(made).data, status=201)


_HERE = "environments/<str:environment>/drift/"
api_urls = [
    path(_HERE, Drift.as_view(), name="drift"),
    path(_HERE + "ignores/", Ignores.as_view(), name="drift_ignores"),
    path(_HERE + "ignores/<int:pk>/end/", EndIgnore.as_view(), name="drift_ignore_end"),
    path(_HERE + "revert/", Revert.as_view(), name="drift_revert"),
    path(_HERE + "accept/", Accept.as_view(), name="drift_accept"),
]
