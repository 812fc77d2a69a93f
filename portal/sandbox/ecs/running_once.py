"""RunTask and StopTask on Fargate: checked as ECS checks them, kept on moto's backend."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import unix_time
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, TaskDefinition
from moto.moto_api._internal import mock_random

from portal.sandbox.ecs import one_off, pace
from portal.sandbox.ecs.one_off import Container, OneOff
from portal.sandbox.patching import store

_MOST = 10
_FARGATE = ("FARGATE", "FARGATE_SPOT")
# Two requests with one client token must not both start a task.
_LOCK = threading.Lock()


class ConflictException(ServiceException):
    """The client token belongs to another request."""

    code = "ConflictException"


def is_fargate(asked: dict[str, Any]) -> bool:
    """Whether RunTask is asked for something that needs no container instance."""
    providers = [row.get("capacityProvider") for row in asked.get("capacityProviderStrategy") or []]
    return asked.get("launchType") == "FARGATE" or any(name in _FARGATE for name in providers)


def tasks_of(backend: EC2ContainerServiceBackend) -> dict[str, OneOff]:
    """ARN -> task, of all that RunTask started here and that can still be described."""
    kept: dict[str, OneOff] = store(backend, "one_off")
    now = unix_time()
    for arn in [arn for arn, task in kept.items() if task.ends_at + one_off.KEPT < now]:
        del kept[arn]
    return kept


def run(backend: EC2ContainerServiceBackend, asked: dict[str, Any]) -> list[OneOff]:
    """Start the tasks, or find those that the same client token has started."""
    cluster = backend._get_cluster(asked.get("cluster") or "default")
    definition = backend.describe_task_definition(asked.get("taskDefinition") or "")
    if definition.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    subnets = _subnets(backend, asked)
    _check(definition, asked)
    with _LOCK:
        known = _by_token(backend, cluster, asked)
        if known is not None:
            return known
        made = [
            _task(backend, cluster, definition, asked, subnets[number % len(subnets)])
            for number in range(int(asked.get("count") or 1))
        ]
        tasks_of(backend).update({task.arn: task for task in made})
        if asked.get("clientToken"):
            store(backend, "client_tokens")[_token(cluster, asked)] = (_print(asked), made)
    return made


def find(backend: EC2ContainerServiceBackend, cluster: str, named: str) -> OneOff | None:
    """The task with this ARN or id in the cluster; None when RunTask started none such."""
    arn = backend._get_cluster(cluster or "default").arn
    for task in tasks_of(backend).values():
        if task.cluster_arn == arn and named in (task.arn, task.id):
            return task
    return None


def listed(backend: EC2ContainerServiceBackend, asked: dict[str, Any]) -> list[OneOff]:
    """Those that ListTasks shows for these filters; tasks of services are not among them."""
    if asked.get("serviceName") or asked.get("containerInstance"):
        return []
    now, cluster = unix_time(), backend._get_cluster(asked.get("cluster") or "default").arn
    wanted = asked.get("desiredStatus") or "RUNNING"
    return [
        task
        for task in tasks_of(backend).values()
        if task.cluster_arn == cluster
        and (wanted == "RUNNING") == task.is_wanted(now)
        and asked.get("family") in (None, "", task.family)
        and asked.get("startedBy") in (None, "", task.started_by)
        and asked.get("launchType") in (None, "", "FARGATE")
    ]


def _by_token(
    backend: EC2ContainerServiceBackend, cluster: Cluster, asked: dict[str, Any]
) -> list[OneOff] | None:
    known = store(backend, "client_tokens").get(_token(cluster, asked))
    if known is None:
        return None
    before, made = known
    if before != _print(asked):
        raise ConflictException(
            "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use"
            " with a different RunTask request."
        )
    return list(made)


def _token(cluster: Cluster, asked: dict[str, Any]) -> str:
    return f"{cluster.arn} {asked.get('clientToken') or ''}"


def _print(asked: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(asked.items())).encode()).hexdigest()


def _subnets(backend: EC2ContainerServiceBackend, asked: dict[str, Any]) -> list[Any]:
    network = (asked.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if not network.get("subnets"):
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    try:
        return [ec2.get_subnet(name) for name in network["subnets"]]
    except InvalidSubnetIdError as error:
        raise InvalidParameterException(
            f"Error retrieving subnet information for {network['subnets']}: {error.message}"
        ) from None


def _check(definition: TaskDefinition, asked: dict[str, Any]) -> None:
    if not 1 <= int(asked.get("count") or 1) <= _MOST:
        raise InvalidParameterException("count should be between 1 and 10")
    names = {str(row["name"]) for row in definition.container_definitions}
    for row in (asked.get("overrides") or {}).get("containerOverrides") or []:
        if row.get("name") not in names:
            raise InvalidParameterException(
                f"Override for container named {row.get('name')} is not a container in the TaskDefinition."
            )


def _task(
    backend: EC2ContainerServiceBackend,
    cluster: Cluster,
    definition: TaskDefinition,
    asked: dict[str, Any],
    subnet: Any,
) -> OneOff:
    name = mock_random.get_random_hex(32)
    prefix = f"arn:{cluster.arn.split(':')[1]}:ecs:{backend.region_name}:{backend.account_id}"
    overrides = asked.get("overrides") or {}
    commands = {str(row["name"]): row.get("command") for row in overrides.get("containerOverrides") or []}
    task = OneOff(
        id=name,
        arn=f"{prefix}:task/{cluster.name}/{name}",
        cluster_arn=cluster.arn,
        definition=definition.arn,
        family=definition.family,
        group=asked.get("group") or f"family:{definition.family}",
        started_by=asked.get("startedBy") or "",
        created=unix_time(),
        step=pace.current().step,
        containers=[_container(row, commands) for row in definition.container_definitions],
        asked=asked,
        cpu=str(overrides.get("cpu") or definition.cpu or ""),
        memory=str(overrides.get("memory") or definition.memory or ""),
        subnet=subnet.id,
        zone=subnet.availability_zone,
        address=_address(subnet, name),
        tags=list(asked.get("tags") or []),
    )
    one_off.plan(task, backend.account_id, backend.region_name, definition.container_definitions)
    return task


def _address(subnet: Any, name: str) -> str:
    """An address at the subnet's end; services' tasks take theirs from its beginning."""
    network = ipaddress.ip_network(subnet.cidr_block)
    return str(network[-2 - int(name[:8], 16) % max(1, network.num_addresses // 4)])


def _container(row: dict[str, Any], commands: dict[str, Any]) -> Container:
    options = (row.get("logConfiguration") or {}).get("options") or {}
    return Container(
        name=str(row["name"]),
        image=str(row["image"]),
        command=list(commands.get(str(row["name"])) or row.get("command") or []),
        essential=bool(row.get("essential", True)),
        log_group=str(options.get("awslogs-group") or ""),
        log_prefix=str(options.get("awslogs-stream-prefix") or ""),
    )
