"""CreateService, UpdateService, DescribeServices, DeleteService: moto's, with rollouts behind them."""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import EcsClientException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

from portal.sandbox.ecs import asked, engine, rollouts, services
from portal.sandbox.ecs.refusals import ServiceNotActiveError
from portal.sandbox.patching import wrap

_MOST_SERVICES = 10


@wrap(EC2ContainerServiceResponse, "create_service")
def _create(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    parameters = self._get_params()
    asked.check(parameters)
    existing = _found(self.ecs_backend, parameters, "serviceName")
    if existing is not None and existing.status == "ACTIVE":
        raise InvalidParameterException("Creation of service was not idempotent.")
    definition = _definition(self.ecs_backend, parameters)
    configuration = services.DEFAULTS | (parameters.get("deploymentConfiguration") or {})
    asked.check_balancers(parameters.get("loadBalancers") or [], str(configuration["strategy"]))
    answer: ActionResult = original(self)
    service: Service = answer.result["service"]  # type: ignore[index]
    vars(service).update(_settings(parameters, f"arn:{self.partition}:iam::{self.current_account}:root"))
    if definition:
        service.task_definition = definition
    if not service.network_configuration:
        # Moto says {} here, on which the Terraform provider crashes.
        service.network_configuration = None  # type: ignore[assignment]
    state = services.remember(service)
    if definition and service.deployment_controller["type"] == "ECS":
        world = services.world_of(self.ecs_backend)
        rollouts.begin(state, state.clock, world, instant=True)
        engine.advance(state, state.clock, world)
        services.project(service)
    return answer


def _settings(parameters: dict[str, Any], creator: str) -> dict[str, Any]:
    """What moto drops."""
    return {
        "deployment_configuration": services.DEFAULTS | (parameters.get("deploymentConfiguration") or {}),
        "enable_execute_command": bool(parameters.get("enableExecuteCommand")),
        "enable_ecs_managed_tags": bool(parameters.get("enableECSManagedTags")),
        "health_check_grace_period_seconds": parameters.get("healthCheckGracePeriodSeconds") or 0,
        "availability_zone_rebalancing": parameters.get("availabilityZoneRebalancing") or "DISABLED",
        "capacity_provider_strategy": parameters.get("capacityProviderStrategy") or [],
        "placement_constraints": parameters.get("placementConstraints") or [],
        "placement_strategy": parameters.get("placementStrategy") or [],
        "created_at": utcnow(),
        "created_by": creator,
    }


@wrap(EC2ContainerServiceResponse, "update_service")
def _update(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    parameters = self._get_params()
    asked.check(parameters)
    service = _found(self.ecs_backend, parameters, "service")
    if service is None:
        raise ServiceNotFoundException
    if service.status != "ACTIVE":
        raise ServiceNotActiveError
    definition = _definition(self.ecs_backend, parameters) or service.task_definition
    configuration = asked.merged(
        vars(service).get("deployment_configuration") or services.DEFAULTS,
        parameters.get("deploymentConfiguration") or {},
    )
    balancers = parameters.get("loadBalancers") or service.load_balancers
    asked.check_balancers(balancers, str(configuration.get("strategy") or "ROLLING"))
    with services.caught_up(self.ecs_backend):
        before = services.state_of(service)
        was = (before.definition, before.settings)
        answer: ActionResult = original(self)
        vars(service)["deployment_configuration"] = configuration
        # Moto keeps what was given, "family:revision" perhaps; AWS always answers with the ARN.
        service.task_definition = definition
        state = services.take_over(service)
        world = services.world_of(self.ecs_backend)
        if service.deployment_controller["type"] == "ECS" and definition:
            if (state.definition, state.settings) != was or parameters.get("forceNewDeployment"):
                rollouts.begin(state, max(time.time(), state.clock), world)
            engine.advance(state, max(time.time(), state.clock), world)
            services.project(service)
    return answer


@wrap(EC2ContainerServiceResponse, "describe_services")
def _describe(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    if len(self._get_param("services", [])) > _MOST_SERVICES:
        raise InvalidParameterException("Services cannot have more than 10 elements.")
    with services.caught_up(self.ecs_backend):
        answer: ActionResult = original(self)
        for service in answer.result["services"]:  # type: ignore[index]
            services.project(service)
    return answer


@wrap(EC2ContainerServiceBackend, "delete_service")
def _delete(original: Any, self: EC2ContainerServiceBackend, cluster: str, name: str, *rest: Any) -> Service:
    with services.caught_up(self):
        service: Service = original(self, cluster, name.split("/")[-1], *rest)
        services.finish(service)
        services.project(service)
        vars(service).update(desired_count=0, deployments=[])
    return service


@wrap(EC2ContainerServiceBackend, "describe_clusters")
def _clusters(original: Any, self: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> Any:
    with services.caught_up(self):
        for service in self.services.values():
            services.project(service)
        for cluster in self.clusters.values():
            running = [service for service in self.services.values() if service.cluster_name == cluster.name]
            own = list(self.tasks.get(cluster.name, {}).values())
            cluster.running_tasks_count = sum(int(found.running_count) for found in running)
            cluster.running_tasks_count += sum(task.last_status == "RUNNING" for task in own)
            cluster.pending_tasks_count = sum(int(found.pending_count) for found in running)
            cluster.active_services_count = sum(found.status == "ACTIVE" for found in running)
    return original(self, *args, **kwargs)


@wrap(EC2ContainerServiceBackend, "list_services")
def _list(original: Any, self: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> list[str]:
    gone = {str(service.arn) for service in self.services.values() if service.status != "ACTIVE"}
    return [arn for arn in original(self, *args, **kwargs) if arn not in gone]


def _found(backend: EC2ContainerServiceBackend, parameters: dict[str, Any], key: str) -> Service | None:
    cluster = backend._get_cluster(parameters.get("cluster") or "default")
    name = str(parameters.get(key) or "").split("/")[-1]
    return backend.services.get(f"{cluster.name}:{name}")


def _definition(backend: EC2ContainerServiceBackend, parameters: dict[str, Any]) -> str:
    """The ARN of the task definition that was named; empty when none was. Raises ClientException."""
    named = parameters.get("taskDefinition")
    if not named:
        return ""
    short = str(named).split("/")[-1]
    if ":" not in short:
        revisions = backend.task_definitions.get(short, {}).values()
        active = [found for found in revisions if found.status == "ACTIVE"]
        if not active:
            raise EcsClientException("TaskDefinition not found.")
        return str(max(active, key=lambda found: found.revision).arn)
    family, _, number = short.rpartition(":")
    found = backend.task_definitions.get(family, {}).get(int(number)) if number.isdigit() else None
    if found is None:
        raise EcsClientException("TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    return str(found.arn)
