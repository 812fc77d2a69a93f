"""Changes and approval policies in the API."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import Http404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from environments.blueprints.api import visible_environment
from environments.changes import actions, breakglass, log, policies, retries
from environments.changes import serializers as shapes
from environments.changes.forms import ChangeFilter
from environments.changes.gates import policy_in_force
from environments.changes.models import Change
from portal.accounts.access import Rule
from portal.accounts.models import User
from portal.accounts.permissions import DeclaredAccess
from portal.accounts.principals import principal_of
from portal.core.pagination import KeysetPagination

FILTERS = [
    OpenApiParameter(name, OpenApiTypes.STR, description=text)
    for name, text in (
        ("tenant", "Slug of the tenant."),
        ("environment", '"tenant.environment"'),
        ("kind", "Such as terraform_run."),
        ("status", 'A status, or "open".'),
        ("requester", "Part of the name."),
    )
]


class Part(APIView):
    """What every part of a change's API shares: who may come, and finding the change."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    environment_tokens = True

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def find(self, uuid: UUID) -> Change:
        """The change, or 404 for those who may not see it or whose token does not reach it."""
        found = Change.objects.visible_to(self.user).for_lists().filter(uuid=uuid).first()
        if found is None or not principal_of(self.request).reaches(found.environment.key):
            raise Http404
        return found

    def body(self, shape: type[Serializer[Change]]) -> dict[str, str]:
        """The posted fields, checked; wrong ones are a 400 that names them."""
        form = shape(data=self.request.data)
        form.is_valid(raise_exception=True)
        return cast(dict[str, str], form.validated_data)

    def answer(self, change: Change) -> Response:
        fresh = Change.objects.for_lists().get(pk=change.pk)
        return Response(shapes.shown(fresh, self.user))


class Changes(Part):
    ordering = ("-created_at",)

    @extend_schema(operation_id="changes_list", parameters=FILTERS, responses=shapes.ChangePageShape)
    def get(self, request: Request) -> Response:
        """Changes that you may see, newest first."""
        found = ChangeFilter(request.query_params, user=self.user).narrow(
            Change.objects.visible_to(self.user).for_lists()
        )
        token = principal_of(request).token
        if token is not None and token.environment_id:
            tenant, _dot, slug = token.environment_id.partition(".")
            found = found.filter(environment__tenant__slug=tenant, environment__slug=slug)
        pages = KeysetPagination()
        rows = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response([shapes.row(row) for row in rows])


class OneChange(Part):
    deploy_tokens = ("GET", "HEAD")

    @extend_schema(responses=shapes.ChangeShape)
    def get(self, request: Request, uuid: UUID) -> Response:
        return Response(shapes.shown(self.find(uuid), self.user))


class Log(Part):
    deploy_tokens = ("GET", "HEAD")

    @extend_schema(
        parameters=[OpenApiParameter("after", OpenApiTypes.INT, description="Byte offset; 0 = the start.")],
        responses=shapes.LogShape,
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """The redacted log from a byte offset on; ask again with `next` until `complete`."""
        after = request.query_params.get("after", "0")
        return Response(vars(log.read(self.find(uuid), after=int(after) if after.isdecimal() else 0)))


class Approve(Part):
    @extend_schema(request=shapes.ApproveShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Vote for exactly the proposal with this digest."""
        change, body = self.find(uuid), self.body(shapes.ApproveShape)
        by, comment = principal_of(request), body.get("comment", "")
        return self.answer(actions.approve(by=by, change=change, digest=body["digest"], comment=comment))


class Reject(Part):
    @extend_schema(request=shapes.RejectShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """End the change with a No and its reason."""
        change, body = self.find(uuid), self.body(shapes.RejectShape)
        return self.answer(actions.reject(by=principal_of(request), change=change, comment=body["comment"]))


class Withdraw(Part):
    @extend_schema(request=None, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Take your own vote back, until the start."""
        return self.answer(actions.withdraw(by=principal_of(request), change=self.find(uuid)))


class Start(Part):
    @extend_schema(request=None, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Press Start on an approved change that waits for it."""
        return self.answer(actions.start(by=principal_of(request), change=self.find(uuid)))


class Cancel(Part):
    @extend_schema(request=shapes.ReasonShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Stop it: at once while nobody works on it, else as soon as Terraform has saved its state."""
        change, body = self.find(uuid), self.body(shapes.ReasonShape)
        return self.answer(
            actions.cancel(by=principal_of(request), change=change, reason=body.get("reason", ""))
        )


class Kill(Part):
    @extend_schema(request=shapes.ReasonShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """End Terraform by force after a cancel that did not help."""
        change, body = self.find(uuid), self.body(shapes.ReasonShape)
        return self.answer(
            actions.kill(by=principal_of(request), change=change, reason=body.get("reason", ""))
        )


class BreakGlass(Part):
    @extend_schema(request=shapes.BreakGlassShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Start exactly this proposal without votes, in an emergency; signed in, never with a token."""
        change, body = self.find(uuid), self.body(shapes.BreakGlassShape)
        return self.answer(breakglass.break_glass(by=principal_of(request), change=change, **body))


class Review(Part):
    @extend_schema(request=shapes.ReviewShape, responses=shapes.ChangeShape)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Say afterwards whether a start without votes was right; settles the debt."""
        change, body = self.find(uuid), self.body(shapes.ReviewShape)
        return self.answer(breakglass.review(by=principal_of(request), change=change, **body))


class Retry(Part):
    @extend_schema(request=shapes.ReasonShape, responses={201: shapes.ChangeShape})
    def post(self, request: Request, uuid: UUID) -> Response:
        """Ask again for what failed, was cancelled or interrupted: the new change, with votes that still fit."""
        change, body = self.find(uuid), self.body(shapes.ReasonShape)
        again = retries.retry(by=principal_of(request), change=change, reason=body.get("reason", ""))
        answer = self.answer(again)
        answer.status_code = 201
        return answer


class Comments(Part):
    @extend_schema(request=shapes.QuestionShape, responses={201: shapes.ChangeShape})
    def post(self, request: Request, uuid: UUID) -> Response:
        """Ask something; it ends nothing."""
        change, body = self.find(uuid), self.body(shapes.QuestionShape)
        actions.ask(by=principal_of(request), change=change, text=body["text"])
        answer = self.answer(change)
        answer.status_code = 201
        return answer


class Policy(Part):
    @extend_schema(responses=shapes.PolicyShape)
    def get(self, request: Request, environment: str) -> Response:
        """The gates in force."""
        place = visible_environment(principal_of(request), self.user, environment)
        gates = policies.as_rows(policy_in_force(place))
        return Response({"number": policies.policy_number(place), "gates": gates})

    @extend_schema(request=shapes.PolicyShape, responses={202: shapes.ChangeShape})
    def put(self, request: Request, environment: str) -> Response:
        """Ask for other gates: a change that needs the votes of the policy in force."""
        place = visible_environment(principal_of(request), self.user, environment)
        data = request.data if isinstance(request.data, dict) else {}
        change = policies.edit_policy(
            by=principal_of(request),
            environment=place,
            gates=data.get("gates"),
            reason=str(data.get("reason", "")),
        )
        answer = self.answer(change)
        answer.status_code = 202
        return answer


_ONE = "changes/<uuid:uuid>/"
api_urls = [
    path("changes/", Changes.as_view(), name="changes"),
    path(_ONE, OneChange.as_view(), name="change"),
    path(_ONE + "log/", Log.as_view(), name="change_log"),
    path(_ONE + "approve/", Approve.as_view(), name="change_approve"),
    path(_ONE + "reject/", Reject.as_view(), name="change_reject"),
    path(_ONE + "withdraw/", Withdraw.as_view(), name="change_withdraw"),
    path(_ONE + "start/", Start.as_view(), name="change_start"),
    path(_ONE + "cancel/", Cancel.as_view(), name="change_cancel"),
    path(_ONE + "kill/", Kill.as_view(), name="change_kill"),
    path(_ONE + "break-glass/", BreakGlass.as_view(), name="change_break_glass"),
    path(_ONE + "review/", Review.as_view(), name="change_review"),
    path(_ONE + "retry/", Retry.as_view(), name="change_retry"),
    path(_ONE + "comments/", Comments.as_view(), name="change_comments"),
    path("environments/<str:environment>/approval-policy/", Policy.as_view(), name="approval_policy"),
]
