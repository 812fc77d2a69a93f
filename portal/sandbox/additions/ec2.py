"""EC2: detailed monitoring of instances, addresses that services' tasks hold."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from portal.sandbox.ecs import addresses
from portal.sandbox.patching import wrap

__all__ = ["addresses"]


@wrap(EC2Response, "monitor_instances")
def _monitor(original: Any, self: EC2Response) -> ActionResult:
    return _set_monitoring(self, "enabled")


@wrap(EC2Response, "unmonitor_instances")
def _unmonitor(original: Any, self: EC2Response) -> ActionResult:
    return _set_monitoring(self, "disabled")


def _set_monitoring(response: EC2Response, state: str) -> ActionResult:
    answers = []
    for instance_id in response._get_param("InstanceIds", []):
        response.ec2_backend.get_instance(instance_id).monitoring_state = state
        answers.append({"InstanceId": instance_id, "Monitoring": {"State": state}})
    return ActionResult({"InstanceMonitorings": answers})
