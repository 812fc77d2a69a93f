"""What a browser would get at a service's address: the sandbox has no load balancer that could be asked."""

from __future__ import annotations

from typing import Any

from moto.core.utils import unix_time

from portal.sandbox.controls import ControlError, text
from portal.sandbox.ecs import services, timeline


def control(asked: dict[str, Any]) -> dict[str, Any]:
    """``{"url", "service": its ARN}`` -> ``{"status", "why"}``: 200 while a task of it is healthy, 503 otherwise."""
    text(asked, "url")
    arn = text(asked, "service")
    try:
        _arn, _partition, name, region, account, _rest = arn.split(":", 5)
    except ValueError:
        raise ControlError("service has to be an ARN") from None
    found = services.catch_up(account, region) if name == "ecs" else []
    state = next((one for one in found if one.arn == arn and one.active), None)
    if state is None:
        return {"status": 503, "why": f"there is no service {arn}"}
    now = unix_time()
    if any(timeline.is_healthy(task, now) for task in state.tasks.values()):
        return {"status": 200, "why": ""}
    return {"status": 503, "why": "no task of the service is healthy"}
