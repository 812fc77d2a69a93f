"""Shapes of deployments and services in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from environments.changes.models import Start
from environments.deployments.asked.settings_asked import MAX_TASKS, MAX_VALUE
from environments.deployments.models import Deployment, Strategy

MOST_SERVICES = 20
# The largest number that any of these fields could mean something by.
LARGEST = 1_000_000
NAME_HELP = "Its name, ARN, address in the state, or short name in the blueprint's output."
IMAGE_HELP = "A tag, a digest (sha256:...) or a whole reference in the service's repository."


def _whole(most: int = LARGEST, help_text: str = "") -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=0, max_value=most, help_text=help_text)


def _texts(length: int, most: int) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=length), required=False, max_length=most
    )


def _rows(shape: type[serializers.Serializer[Deployment]]) -> serializers.ListField:
    return serializers.ListField(child=shape(), required=False, max_length=MOST_SERVICES)


@extend_schema_field(OpenApiTypes.OBJECT)
class PlainObject(serializers.JSONField):
    """A JSON object."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            raise serializers.ValidationError("This has to be an object.")
        return value


class VariablesField(serializers.DictField):
    """Environment variables of the container: name -> value."""

    child = serializers.CharField(allow_blank=True, max_length=MAX_VALUE, trim_whitespace=False)


class LinkedShape(serializers.Serializer[Deployment]):
    title = serializers.CharField(max_length=120)
    url = serializers.URLField(max_length=500)


class AskedShape(serializers.Serializer[Deployment]):
    """What is asked of one service."""

    service = serializers.CharField(max_length=500, help_text=NAME_HELP)
    image = serializers.CharField(required=False, allow_blank=True, max_length=600, help_text=IMAGE_HELP)
    container = serializers.CharField(required=False, allow_blank=True, max_length=255)
    environment = VariablesField(required=False, help_text="Variables to set: name -> value.")
    unset = _texts(255, 100)
    cpu = _whole(help_text="CPU units of the task; 1024 are one vCPU.")
    memory = _whole(help_text="MiB of the task.")


class CountsShape(serializers.Serializer[Deployment]):
    """How many tasks are asked of one service."""

    service = serializers.CharField(max_length=500, help_text=NAME_HELP)
    desired = _whole(MAX_TASKS)
    minimum = _whole(MAX_TASKS)
    maximum = _whole(MAX_TASKS)


class RequestShape(serializers.Serializer[Deployment]):
    """What every request can say for those who approve, and when it starts."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    ticket = serializers.CharField(required=False, allow_blank=True, max_length=200)
    links = LinkedShape(many=True, required=False)
    start = serializers.ChoiceField(choices=Start.choices, required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)


class StrategyShape(RequestShape):
    """How the tasks are replaced, and what runs before."""

    strategy = serializers.ChoiceField(choices=Strategy.choices, required=False)
    strategy_options = PlainObject(
        required=False, help_text="canary_percent, canary_bake_minutes, step_percent, step_bake_minutes"
    )
    bake_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LARGEST,
        help_text="How long the alarms are watched afterwards; default: as each service declares.",
    )
    before_task = PlainObject(
        required=False,
        allow_null=True,
        help_text="{name, service, container, command: [...]}; {}: none; default: as declared.",
    )


class NewDeploymentShape(StrategyShape):
    """One service by `service` and the fields beside it, or several by `services`."""

    service = serializers.CharField(required=False, max_length=500, help_text=NAME_HELP)
    services = _rows(AskedShape)
    image = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=600,
        help_text=IMAGE_HELP + " Also of each of `services` that names none.",
    )
    container = serializers.CharField(required=False, allow_blank=True, max_length=255)
    environment = VariablesField(required=False)
    unset = _texts(255, 100)
    cpu = _whole()
    memory = _whole()


class NewRestartShape(RequestShape):
    service = serializers.CharField(required=False, max_length=500, help_text=NAME_HELP)
    services = _texts(500, MOST_SERVICES)


class NewRollbackShape(RequestShape):
    deployment = serializers.UUIDField(help_text="The id of the change that deployed what shall come back.")
    services = _texts(500, MOST_SERVICES)


class NewScaleShape(RequestShape):
    service = serializers.CharField(required=False, max_length=500, help_text=NAME_HELP)
    desired = _whole(MAX_TASKS)
    minimum = _whole(MAX_TASKS)
    maximum = _whole(MAX_TASKS)
    services = _rows(CountsShape)


class NewPromotionShape(StrategyShape):
    from_environment = serializers.CharField(
        max_length=200, help_text='"tenant.environment" whose running digests are asked for here.'
    )
    services = _texts(500, MOST_SERVICES)


class ServiceStatusShape(serializers.Serializer[Deployment]):
    """What ECS said at the last look; `error` says why a later look failed."""

    status = serializers.CharField()
    desired = serializers.IntegerField(allow_null=True)
    running = serializers.IntegerField(allow_null=True)
    pending = serializers.IntegerField(allow_null=True)
    minimum = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    task_definition = serializers.CharField()
    images = serializers.JSONField(help_text="Container -> image, digest, tag.")
    out_of_band = serializers.BooleanField()
    taken_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    error_at = serializers.DateTimeField(allow_null=True)


class ServiceShape(serializers.Serializer[Deployment]):
    service = serializers.CharField()
    key = serializers.CharField(help_text="The blueprint's short name.")
    arn = serializers.CharField()
    cluster_arn = serializers.CharField()
    address = serializers.CharField()
    container = serializers.CharField()
    repository = serializers.CharField()
    strategies = serializers.ListField(child=serializers.CharField())
    deployment_owns = serializers.ListField(child=serializers.CharField())
    bake_seconds = serializers.IntegerField()
    alarms = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())
    last_look = ServiceStatusShape(allow_null=True, help_text="null: nobody has looked yet.")


class ServiceListShape(serializers.Serializer[Deployment]):
    results = ServiceShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ImageShape(serializers.Serializer[Deployment]):
    reference = serializers.CharField()
    digest = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    pushed_at = serializers.DateTimeField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes, compressed.")
    scan = serializers.JSONField(allow_null=True, help_text="Severity -> findings; null: not known.")
    scan_unknown = serializers.CharField(help_text="Why the findings are not known.")
    running = serializers.BooleanField(help_text="The service runs it now.")
    proven = serializers.DateTimeField(allow_null=True, help_text="When it was last proven to run here.")


class ImageListShape(serializers.Serializer[Deployment]):
    results = ImageShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
