"""CloudWatch: composite alarms."""

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from portal.sandbox.patching import add


@add(CloudWatchResponse)
def put_composite_alarm(self: CloudWatchResponse) -> ActionResult:
    """Make or change a composite alarm; moto's own alarm has a rule, only the action is missing."""
    answer: ActionResult = self.put_metric_alarm()
    return answer
