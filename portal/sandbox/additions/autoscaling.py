"""Application Auto Scaling: tags of scalable targets, and services brought within their bounds."""

import json
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from portal.sandbox.ecs import services
from portal.sandbox.patching import add, store, wrap


def _tags(response: ApplicationAutoScalingResponse, arn: str) -> dict[str, str]:
    tags: dict[str, str] = store(response.applicationautoscaling_backend, "tags").setdefault(arn, {})
    return tags


@add(ApplicationAutoScalingResponse)
def list_tags_for_resource(self: ApplicationAutoScalingResponse) -> str:
    """The tags of a scalable target."""
    return json.dumps({"Tags": _tags(self, self._get_param("ResourceARN"))})


@add(ApplicationAutoScalingResponse)
def tag_resource(self: ApplicationAutoScalingResponse) -> str:
    """Add tags, or change their values."""
    _tags(self, self._get_param("ResourceARN")).update(self._get_param("Tags") or {})
    return "{}"


@add(ApplicationAutoScalingResponse)
def untag_resource(self: ApplicationAutoScalingResponse) -> str:
    """Remove tags."""
    tags = _tags(self, self._get_param("ResourceARN"))
    for key in self._get_param("TagKeys") or []:
        tags.pop(key, None)
    return "{}"


@wrap(ApplicationAutoScalingResponse, "register_scalable_target")
def _register(original: Any, self: ApplicationAutoScalingResponse) -> str:
    answer: str = original(self)
    # Moto drops the tags given here; a provider with default tags would set them again at each run.
    _tags(self, json.loads(answer)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
    if self._get_param("ServiceNamespace") == "ecs":
        _, cluster, service = self._get_param("ResourceId").split("/")
        backend = self.applicationautoscaling_backend
        for target in backend.describe_scalable_targets("ecs", [self._get_param("ResourceId")], None):
            bounds = (target.min_capacity, target.max_capacity)
            services.bring_within(backend.ecs_backend, cluster, service, *bounds)
    return answer
