"""CloudWatch: composite alarms, and alarms that fire as long as a service's rollout makes them."""

import sys
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from portal.sandbox.patching import add, wrap


@add(CloudWatchResponse)
def put_composite_alarm(self: CloudWatchResponse) -> ActionResult:
    """Make or change a composite alarm; moto's own alarm has a rule, only the action is missing."""
    answer: ActionResult = self.put_metric_alarm()
    return answer


@wrap(CloudWatchResponse, "describe_alarms")
def _alarms(original: Any, self: CloudWatchResponse) -> ActionResult:
    if "moto.ecs.models" in sys.modules:
        # Only then: without ECS there is nothing to catch up, and importing it takes a second.
        from portal.sandbox.ecs import services

        services.catch_up(self.current_account, self.region)
    answer: ActionResult = original(self)
    return answer
