"""ECS services: settings that moto drops, and a rollout that is done at once.

A rollout's state follows from what was asked and when; no thread moves it along. For now the answer is
the same at any time: the desired tasks run, the deployment is completed.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random

from portal.sandbox.patching import wrap

_DEPLOYMENT_CONFIGURATION = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}


@wrap(EC2ContainerServiceResponse, "create_service")
def _create(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    answer: ActionResult = original(self)
    service: Service = answer.result["service"]  # type: ignore[index]
    asked = self._get_params()
    settings = {
        "deployment_configuration": _DEPLOYMENT_CONFIGURATION | (asked.get("deploymentConfiguration") or {}),
        "enable_execute_command": bool(asked.get("enableExecuteCommand")),
        "enable_ecs_managed_tags": bool(asked.get("enableECSManagedTags")),
        "health_check_grace_period_seconds": asked.get("healthCheckGracePeriodSeconds") or 0,
        "availability_zone_rebalancing": asked.get("availabilityZoneRebalancing") or "DISABLED",
        "capacity_provider_strategy": asked.get("capacityProviderStrategy") or [],
        "placement_constraints": asked.get("placementConstraints") or [],
        "placement_strategy": asked.get("placementStrategy") or [],
        "created_at": utcnow(),
        "created_by": f"arn:{self.partition}:iam::{self.current_account}:root",
    }
    vars(service).update(settings)
    if not service.network_configuration:
        # Moto says {} here, on which the Terraform provider crashes.
        service.network_configuration = None  # type: ignore[assignment]
    _settle(service)
    return answer


@wrap(EC2ContainerServiceResponse, "update_service")
def _update(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    configuration = self._get_param("deploymentConfiguration")
    answer: ActionResult = original(self)
    service: Service = answer.result["service"]  # type: ignore[index]
    if configuration:
        service.deployment_configuration = _DEPLOYMENT_CONFIGURATION | configuration  # type: ignore[attr-defined]
    if self._get_param("taskDefinition"):
        # Moto keeps what was given, "family:revision" perhaps; AWS always answers with the ARN.
        found = self.ecs_backend.describe_task_definition(self._get_param("taskDefinition"))
        service.task_definition = found.arn
    if self._get_param("taskDefinition") or self._get_param("forceNewDeployment"):
        _deploy_anew(service)
    _settle(service)
    return answer


def _deploy_anew(service: Service) -> None:
    for deployment in service.deployments:
        deployment["id"] = f"ecs-svc/{mock_random.randint(10**18, 10**19)}"
        deployment["createdAt"] = utcnow()
        deployment["taskDefinition"] = service.task_definition


def _settle(service: Service) -> None:
    """Steady state: everything that is wanted runs."""
    cluster = service._backend.clusters.get(service.cluster_name)
    missing = service.desired_count - service.running_count
    if cluster is not None:
        cluster.running_tasks_count += missing
        cluster.pending_tasks_count -= service.pending_count
    service.running_count, service.pending_count = service.desired_count, 0
    for deployment in service.deployments:
        deployment.update(
            desiredCount=service.desired_count,
            runningCount=service.desired_count,
            pendingCount=0,
            failedTasks=0,
            rolloutState="COMPLETED",
            rolloutStateReason=f"ECS deployment {deployment['id']} completed.",
            updatedAt=utcnow(),
        )
