"""Shapes of runs, outputs and state versions in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from environments.changes.models import Start
from environments.runs.models import Mode, Output, ResourceChange, StateVersion, TerraformRun


class LinkShape(serializers.Serializer[TerraformRun]):
    title = serializers.CharField(max_length=120)
    url = serializers.URLField(max_length=500)


class NewRunShape(serializers.Serializer[TerraformRun]):
    mode = serializers.ChoiceField(choices=Mode.choices)
    definition = serializers.IntegerField(required=False, help_text="Its number; default: the newest.")
    targets = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, max_length=100
    )
    replace = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, max_length=100
    )
    confirm_name = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="The environment's id, to destroy a production environment.",
    )
    skip_final_snapshot = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    ticket = serializers.CharField(required=False, allow_blank=True, max_length=200)
    links = LinkShape(many=True, required=False)
    start = serializers.ChoiceField(choices=Start.choices, required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)


class AttributeShape(serializers.Serializer[ResourceChange]):
    path = serializers.CharField()
    kind = serializers.CharField(help_text="added, removed or changed")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    unknown = serializers.BooleanField(help_text="Known after apply.")
    sensitive = serializers.BooleanField()
    sensitive_changed = serializers.BooleanField()
    forces_replacement = serializers.BooleanField()


class ResourceChangeShape(serializers.Serializer[ResourceChange]):
    address = serializers.CharField()
    module = serializers.CharField()
    type = serializers.CharField()
    name = serializers.CharField()
    action = serializers.CharField()
    reason = serializers.CharField()
    effects = serializers.ListField(child=serializers.CharField())
    replace_paths = serializers.ListField(child=serializers.CharField())
    attributes = AttributeShape(many=True, source="detail")


class ResourceChangePageShape(serializers.Serializer[ResourceChange]):
    results = ResourceChangeShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class OutputShape(serializers.Serializer[Output]):
    name = serializers.CharField()
    sensitive = serializers.BooleanField()
    value = serializers.JSONField(allow_null=True, help_text="null when sensitive")
    read_at = serializers.DateTimeField()


class OutputListShape(serializers.Serializer[Output]):
    results = OutputShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class StateVersionShape(serializers.Serializer[StateVersion]):
    number = serializers.IntegerField()
    serial = serializers.IntegerField()
    lineage = serializers.CharField()
    terraform_version = serializers.CharField()
    resource_count = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes.")
    change = serializers.UUIDField(source="change.uuid", allow_null=True, default=None)
    written_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class StateVersionPageShape(serializers.Serializer[StateVersion]):
    results = StateVersionShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def shown_output(output: Output) -> dict[str, Any]:
    """An output; a sensitive one without its value."""
    return {
        "name": output.name,
        "sensitive": output.sensitive,
        "value": None if output.sensitive else output.value,
        "read_at": output.read_at,
    }
