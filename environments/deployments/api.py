"""Deployments and services in the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from environments.blueprints.api import visible_environment
from environments.changes.api import Part
from environments.changes.models import Change
from environments.changes.serializers import ChangeShape
from environments.deployments import actions, listed
from environments.deployments import serializers as shapes
from environments.deployments.actions import Asked
from environments.deployments.asked import repeated
from environments.deployments.asked.offered import offered
from environments.deployments.history.api import EnvironmentHistory
from environments.deployments.models import Deployment
from environments.deployments.services import service_of
from environments.models import Environment
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput

KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key within a day gets the change that it made before.",
)
FIELDS = ("image", "container", "environment", "unset", "cpu", "memory")
COUNTS = ("desired", "minimum", "maximum")
Plain = dict[str, Any]


class Place(Part):
    """A part of one environment's API."""

    def place(self, environment: str) -> Environment:
        return visible_environment(principal_of(self.request), self.user, environment)

    def read(self, shape: type[Serializer[Any]]) -> Plain:
        form = shape(data=self.request.data)
        form.is_valid(raise_exception=True)
        said: Plain = dict(form.validated_data)
        return said | {"links": [dict(row) for row in said.get("links", [])]}

    def made(self, change: Change, *, now: bool = True) -> Response:
        answer = self.answer(change)
        answer.status_code = 201 if now else 200
        return answer


class Deployments(Place, EnvironmentHistory):
    deploy_tokens = ("POST",)

    @extend_schema(
        parameters=[KEY], request=shapes.NewDeploymentShape, responses={201: ChangeShape, 200: ChangeShape}
    )
    def post(self, request: Request, environment: str) -> Response:
        """Ask for images or settings of services: a change, executed when its gates let it."""
        place, said = self.place(environment), self.read(shapes.NewDeploymentShape)
        wanted = dict(said)
        services, single = _services(wanted, FIELDS)
        by, key = principal_of(request), request.headers.get("Idempotency-Key", "")

        def ask(on_made: Callable[[Change], None]) -> Change:
            return actions.request_deployment(
                by=by, environment=place, services=services, on_made=on_made, **wanted
            )

        with _named(single=single):
            change, now = repeated.once(by, place, key, said, ask)
        return self.made(change, now=now)


class Restarts(Place):
    @extend_schema(request=shapes.NewRestartShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for new tasks of what runs."""
        place, wanted = self.place(environment), self.read(shapes.NewRestartShape)
        services, single = _services(wanted, ())
        with _named(single=single):
            return self.made(
                actions.request_restart(
                    by=principal_of(request), environment=place, services=services, **wanted
                )
            )


class Scalings(Place):
    @extend_schema(request=shapes.NewScaleShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for another number of tasks."""
        place, wanted = self.place(environment), self.read(shapes.NewScaleShape)
        services, single = _services(wanted, COUNTS)
        with _named(single=single):
            return self.made(
                actions.request_scale(
                    by=principal_of(request), environment=place, services=services, **wanted
                )
            )


class Promotions(Place):
    @extend_schema(request=shapes.NewPromotionShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask here for exactly the digests that another environment runs now."""
        place, wanted = self.place(environment), self.read(shapes.NewPromotionShape)
        try:
            source = self.place(wanted.pop("from_environment"))
        except Http404:
            raise InvalidInput({"from_environment": [_("There is no such environment.")]}) from None
        return self.made(
            actions.request_promotion(by=principal_of(request), environment=place, source=source, **wanted)
        )


class Rollbacks(Place):
    @extend_schema(request=shapes.NewRollbackShape, responses={201: ChangeShape})
    def post(self, request: Request, environment: str) -> Response:
        """Ask for what an earlier deployment proved to run, ahead of all that waits."""
        place, wanted = self.place(environment), self.read(shapes.NewRollbackShape)
        there = Deployment.objects.select_related("change").filter(change__environment=place)
        # None is refused by the action, after it has asked whether they may.
        deployment = there.filter(change__uuid=wanted.pop("deployment")).first()
        return self.made(
            actions.request_rollback(
                by=principal_of(request), environment=place, deployment=deployment, **wanted
            )
        )


class Services(Place):
    deploy_tokens = ("GET", "HEAD")

    @extend_schema(operation_id="environment_services", responses=shapes.ServiceListShape)
    def get(self, request: Request, environment: str) -> Response:
        """The environment's ECS services, with what the last look at them said."""
        rows = listed.services(self.place(environment))
        return Response({"results": rows, "next": None, "previous": None})


class Images(Place):
    deploy_tokens = ("GET", "HEAD")

    @extend_schema(operation_id="service_images", responses=shapes.ImageListShape)
    def get(self, request: Request, environment: str, name: str) -> Response:
        """The newest images of the service's repository, newest first; asked of ECR at this moment."""
        place = self.place(environment)
        service = service_of(place, name)
        if service is None:
            raise Http404
        rows = [listed.image(row) for row in offered(place, service)]
        return Response({"results": rows, "next": None, "previous": None})


def _services(wanted: Plain, fields: Sequence[str]) -> tuple[list[Asked], bool]:
    """The services asked for, taken out of `wanted`; and whether it was one, named beside its own fields."""
    beside = {name: wanted.pop(name) for name in fields if name in wanted}
    single, several = wanted.pop("service", None), wanted.pop("services", None)
    if single is not None and several is not None:
        raise InvalidInput({"services": [_("Name one service or a list of services, not both.")]})
    if single is not None:
        return [Asked(service=single, **beside)], True
    rows = [{"service": row} if isinstance(row, str) else dict(row) for row in several or []]
    # One image for all; a setting is always of one service.
    image = beside.pop("image", "")
    if beside:
        raise InvalidInput({name: [_("Say it of one of the services.")] for name in beside})
    return [Asked(**({"image": image} | row if image else row)) for row in rows], False


@contextmanager
def _named(*, single: bool) -> Iterator[None]:
    """What is wrong with the only service is said of the field as it was sent."""
    try:
        yield
    except InvalidInput as wrong:
        if not single:
            raise
        errors = {name.removeprefix("services.0."): texts for name, texts in wrong.errors.items()}
        raise InvalidInput(errors, hint=wrong.hint, code=wrong.code) from None


_PLACE = "environments/<str:environment>/"
api_urls = [
    path(_PLACE + "deployments/", Deployments.as_view(), name="deployments"),
    path(_PLACE + "deployments/restart/", Restarts.as_view(), name="deployments_restart"),
    path(_PLACE + "deployments/scale/", Scalings.as_view(), name="deployments_scale"),
    path(_PLACE + "deployments/promote/", Promotions.as_view(), name="deployments_promote"),
    path(_PLACE + "deployments/rollback/", Rollbacks.as_view(), name="deployments_rollback"),
    path(_PLACE + "services/", Services.as_view(), name="services"),
    path(_PLACE + "services/<str:name>/images/", Images.as_view(), name="service_images"),
]
