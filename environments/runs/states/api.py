"""The state room in the API: comparing, rolling back, importing, locking, tokens for the command line."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from environments.changes.serializers import ChangeShape
from environments.models import Environment
from environments.runs import comparing
from environments.runs.api import Place
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import actions as state_actions
from environments.runs.states import lock_actions, shapes, token_actions
from environments.runs.states.forms import writers_of
from environments.runs.states.uploads import keep_in_memory
from portal.accounts.principals import principal_of
from portal.accounts.serializers import ShownTokenSerializer, TokenSerializer
from portal.core.errors import InvalidInput
from portal.core.wellformed import WellFormedJSONParser

WANTED = [
    OpenApiParameter("a", OpenApiTypes.INT, required=True, description="Number of the earlier version."),
    OpenApiParameter("b", OpenApiTypes.INT, required=True, description="Number of the later version."),
    OpenApiParameter("q", OpenApiTypes.STR, description="Part of the address."),
    OpenApiParameter("kind", OpenApiTypes.STR, description="added, removed, changed or moved."),
    OpenApiParameter("after", OpenApiTypes.STR, description="From the answer's `next`."),
]


def version_of(environment: Environment, text: str) -> StateVersion:
    """The version of this number, or 404."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    found: StateVersion | None = environment.state_versions.filter(number=number).first()
    if found is None:
        raise Http404
    return found


class Compare(Place):
    @extend_schema(parameters=WANTED, responses=shapes.ComparisonShape)
    def get(self, request: Request, environment: str) -> Response:
        """What differs between two versions, by resource; sensitive values masked, 100 resources at a time."""
        place, asked = self.place(environment), request.query_params
        before, after = version_of(place, asked.get("a", "")), version_of(place, asked.get("b", ""))
        found = comparing.compared(before, after)
        part = comparing.part_of(found, asked)
        shown = {
            "same_lineage": found.same_lineage,
            "counts": found.counts(),
            "outputs": found.outputs,
            "total": part.total,
            "results": part.rows,
            "next": part.after or None,
        }
        return Response(shapes.ComparisonShape(shown).data)


class Rollback(Place):
    @extend_schema(request=shapes.StateReasonShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str, number: int) -> Response:
        """Ask that this version becomes the newest again: a change that touches nothing in AWS."""
        place = self.place(environment)
        reason = self.body(shapes.StateReasonShape)["reason"]
        by = principal_of(request)
        change = state_actions.request_rollback(by=by, environment=place, number=number, reason=reason)
        return Response(self.answer(change).data, status=201)


class Imports(Place):
    parser_classes = [WellFormedJSONParser, MultiPartParser, FormParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        keep_in_memory(request._request)
        super().initial(request, *args, **kwargs)

    @extend_schema(request=shapes.StateImportShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask to import a state from an uploaded file or an S3 address: a change that touches nothing in AWS."""
        place = self.place(environment)
        form: dict[str, Any] = dict(self.body(shapes.StateImportShape))
        upload = form.pop("file", None)
        if upload is not None:
            form |= {"content": upload.read(), "file_name": upload.name}
        change = state_actions.request_import(by=principal_of(request), environment=place, **form)
        return Response(self.answer(change).data, status=201)


class Lock(Place):
    def held(self, environment: Environment, status: int = 200) -> Response:
        lock = StateLock.objects.filter(environment=environment).select_related("change").first()
        return Response({"lock": shapes.LockShape(lock).data if lock else None}, status=status)

    @extend_schema(responses=shapes.HeldShape)
    def get(self, request: Request, environment: str) -> Response:
        """Who holds the state's lock; null when nobody does."""
        return self.held(self.place(environment))

    @extend_schema(request=shapes.StateReasonShape, responses={201: shapes.HeldShape})
    def post(self, request: Request, environment: str) -> Response:
        """Lock the state in your own name: approved runs wait."""
        place = self.place(environment)
        reason = self.body(shapes.StateReasonShape)["reason"]
        lock_actions.lock_state(by=principal_of(request), environment=place, reason=reason)
        return self.held(place, 201)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, environment: str) -> Response:
        """Take away the lock that you set by hand."""
        lock_actions.unlock_state(by=principal_of(request), environment=self.place(environment))
        return Response(status=204)


class Tokens(Place):
    @extend_schema(request=shapes.NewStateTokenShape, responses={201: ShownTokenSerializer})
    def post(self, request: Request, environment: str) -> Response:
        """Issue a token with which a person's terraform writes this state. For a session only, never for a token."""
        place = self.place(environment)
        form: dict[str, Any] = dict(self.body(shapes.NewStateTokenShape))
        person = next((user for user in writers_of(place) if user.username == form["person"]), None)
        if person is None:
            raise InvalidInput({"person": [_("Give the username of an operator or admin of the tenant.")]})
        token, plain = token_actions.issue_state_token(
            by=principal_of(request), environment=place, **{**form, "person": person}
        )
        answer = {**TokenSerializer(token).data, "token": plain}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})


_PLACE = "environments/<str:environment>/"
imports = Imports.as_view()
imports.reads_upload = True  # type: ignore[attr-defined]
api_urls = [
    path(_PLACE + "state-versions/compare/", Compare.as_view(), name="state_compare"),
    path(_PLACE + "state-versions/<int:number>/rollback/", Rollback.as_view(), name="state_rollback"),
    path(_PLACE + "state-imports/", imports, name="state_imports"),
    path(_PLACE + "state-lock/", Lock.as_view(), name="state_lock"),
    path(_PLACE + "state-tokens/", Tokens.as_view(), name="state_tokens"),
]
