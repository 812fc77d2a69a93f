"""Blueprints and definitions in the API."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from environments.blueprints import actions, querysets
from environments.blueprints.exact_api import ExactJSONParser, ExactJSONRenderer
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.snapshots import current_snapshot, offers
from environments.blueprints.types import type_json
from environments.blueprints.validation import effective
from environments.blueprints.variables import Variable
from environments.models import Definition, Environment
from portal.accounts.access import Rule
from portal.accounts.models import User
from portal.accounts.permissions import DeclaredAccess
from portal.accounts.principals import Principal, principal_of
from portal.core.errors import InvalidInput
from portal.core.pagination import KeysetPagination

Plain = dict[str, Any]


class VariableShape(serializers.Serializer[Variable]):
    name = serializers.CharField()
    type = serializers.JSONField(help_text='Terraform\'s JSON form, such as "string" or ["list", "string"].')
    description = serializers.CharField()
    # The key of the answer; Field's own attribute of that name is not concerned.
    required = serializers.BooleanField()  # type: ignore[assignment]
    nullable = serializers.BooleanField()
    sensitive = serializers.BooleanField()
    default = serializers.JSONField(allow_null=True, help_text="Never that of a sensitive variable.")
    validations = serializers.ListField(child=serializers.CharField(), help_text="The conditions, as HCL.")


class BlueprintShape(serializers.Serializer[BlueprintSnapshot]):
    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    snapshot = serializers.CharField(help_text="SHA-256 of the content; empty when it cannot be read.")
    file_count = serializers.IntegerField()
    error = serializers.CharField(help_text="Why the blueprint cannot be used; empty when it can.")


class BlueprintDetailShape(BlueprintShape):
    variables = VariableShape(many=True)
    outputs = serializers.JSONField()


class BlueprintListShape(serializers.Serializer[BlueprintSnapshot]):
    results = BlueprintShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class ValuesField(serializers.JSONField):
    """Variable name -> value."""


class DefinitionShape(serializers.Serializer[Definition]):
    environment = serializers.CharField()
    number = serializers.IntegerField()
    blueprint = serializers.CharField()
    snapshot = serializers.CharField()
    variables = ValuesField(help_text="What the definition sets itself.")
    effective = ValuesField(help_text="With the blueprint's defaults.")
    sensitive = serializers.ListField(child=serializers.CharField(), help_text="Names of the secrets set.")
    note = serializers.CharField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()


class DefinitionPageShape(serializers.Serializer[Definition]):
    results = DefinitionShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class NewDefinitionShape(serializers.Serializer[Definition]):
    variables = ValuesField(
        help_text="The whole definition. Secrets left out are carried over from the newest; null clears one."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


def shown_blueprint(snapshot: BlueprintSnapshot) -> Plain:
    return {
        "slug": snapshot.blueprint,
        "title": snapshot.title,
        "summary": snapshot.summary,
        "snapshot": snapshot.digest,
        "file_count": snapshot.file_count,
        "error": "",
    }


def shown_variable(variable: Variable) -> Plain:
    return {
        "name": variable.name,
        "type": type_json(variable.type),
        "description": variable.description,
        "required": variable.required,
        "nullable": variable.nullable,
        "sensitive": variable.sensitive,
        "default": None if variable.sensitive else variable.effective_default,
        "validations": [rule.condition for rule in variable.validations],
    }


def shown_definition(
    definition: Definition, environment: Environment, schemas: dict[str, tuple[Variable, ...]]
) -> Plain:
    """A definition with numbers exact: the column's values go through their types again."""
    schema = [v for v in schemas[definition.snapshot] if not v.sensitive]
    values = effective(schema, definition.variables)
    return {
        "environment": environment.key,
        "number": definition.number,
        "blueprint": definition.blueprint,
        "snapshot": definition.snapshot,
        "variables": {name: values[name] for name in definition.variables if name in values},
        "effective": values,
        "sensitive": sorted(definition.sensitive),
        "note": definition.note,
        "author": definition.author.username,
        "created_at": definition.created_at,
    }


class Exact(APIView):
    """Signed-in people; numbers exact both ways."""

    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]
    parser_classes = [ExactJSONParser]
    renderer_classes = [ExactJSONRenderer]


class Blueprints(Exact):
    @extend_schema(operation_id="blueprints_list", responses=BlueprintListShape)
    def get(self, request: Request) -> Response:
        """Every blueprint, one that cannot be read with its fault. There are few: one page holds them."""
        rows = []
        for offer in offers():
            if offer.snapshot is not None:
                rows.append(shown_blueprint(offer.snapshot))
            else:
                fault = offer.error.message if offer.error else ""
                blank = {"title": offer.slug, "summary": "", "snapshot": "", "file_count": 0}
                rows.append({"slug": offer.slug, **blank, "error": fault})
        return Response({"results": rows, "next": None, "previous": None})


class OneBlueprint(Exact):
    @extend_schema(responses=BlueprintDetailShape)
    def get(self, request: Request, slug: str) -> Response:
        """A blueprint with its variables and outputs."""
        snapshot = current_snapshot(slug)
        variables = [shown_variable(variable) for variable in snapshot.schema]
        return Response({**shown_blueprint(snapshot), "variables": variables, "outputs": snapshot.outputs})


def visible_environment(by: Principal, user: User, key: str) -> Environment:
    """The environment with this id, if the person and their token reach it; else 404."""
    if not by.reaches(key):
        raise Http404
    found = Environment.objects.visible_to(user).by_key(key).select_related("tenant")
    environment: Environment = get_object_or_404(found)
    return environment


class Definitions(Exact):
    ordering = ("-number",)

    @extend_schema(operation_id="environments_definitions_list", responses=DefinitionPageShape)
    def get(self, request: Request, environment: str) -> Response:
        """The environment's definitions, newest first; secrets by name only."""
        place = visible_environment(principal_of(request), cast(User, request.user), environment)
        pages = KeysetPagination()
        found = querysets.definitions_of(place).defer(None)
        rows = pages.paginate_queryset(found, request, view=self) or []
        schemas = querysets.schemas_of(rows)
        return pages.get_paginated_response([shown_definition(row, place, schemas) for row in rows])

    @extend_schema(request=NewDefinitionShape, responses={201: DefinitionShape})
    def post(self, request: Request, environment: str) -> Response:
        """Make the next definition."""
        by = principal_of(request)
        place = visible_environment(by, cast(User, request.user), environment)
        variables, note = _wanted(request.data)
        plain, secrets = actions.whole_definition(place, variables)
        made = actions.define(by=by, environment=place, variables=plain, sensitive=secrets, note=note)
        answer = shown_definition(made, place, querysets.schemas_of([made]))
        return Response(answer, status=status.HTTP_201_CREATED)


class OneDefinition(Exact):
    @extend_schema(responses=DefinitionShape)
    def get(self, request: Request, environment: str, number: int) -> Response:
        place = visible_environment(principal_of(request), cast(User, request.user), environment)
        one = get_object_or_404(place.definitions.select_related("author"), number=number)
        return Response(shown_definition(one, place, querysets.schemas_of([one])))


def _wanted(data: Any) -> tuple[Plain, str]:
    """(variables, note) of a posted body, by hand: a serializer would pass numbers through floats."""
    if not isinstance(data, dict) or not isinstance(data.get("variables"), dict):
        raise InvalidInput({"variables": [_("must be an object of names to values")]})
    note = data.get("note", "")
    if not isinstance(note, str):
        raise InvalidInput({"note": [_("must be text")]})
    return data["variables"], note


_ID = "environments/<str:environment>/definitions/"
api_urls = [
    path("blueprints/", Blueprints.as_view(), name="blueprints"),
    path("blueprints/<slug:slug>/", OneBlueprint.as_view(), name="blueprint"),
    path(_ID, Definitions.as_view(), name="definitions"),
    path(_ID + "<int:number>/", OneDefinition.as_view(), name="definition"),
]
