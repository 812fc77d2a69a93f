"""ListTasks, DescribeTasks and StopTask for the tasks that services started; other tasks are moto's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import unix_time
from moto.ecs.exceptions import InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from portal.sandbox.ecs import engine, services, task_rows, timeline
from portal.sandbox.ecs.state import ServiceState, Task
from portal.sandbox.patching import wrap

_MOST_TASKS = 100


@dataclass(frozen=True)
class Listed:
    """A task as moto's ListTasks wants it."""

    task_arn: str


@wrap(EC2ContainerServiceBackend, "list_tasks")
def _list(original: Any, self: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> list[Any]:
    names = ("cluster_str", "container_instance", "family", "started_by", "service_name", "desiredStatus")
    given = dict(zip(names, args, strict=False)) | kwargs
    service = str(given.get("service_name") or "").split("/")[-1]
    found: list[Any] = [] if service else original(self, *args, **kwargs)
    cluster = self._get_cluster(given.get("cluster_str") or "default").name
    if service and f"{cluster}:{service}" not in self.services:
        raise ServiceNotFoundException
    if given.get("container_instance"):
        return found
    status = given.get("desiredStatus") or "RUNNING"
    with services.caught_up(self) as states:
        found += [
            Listed(task_rows.arn(state, task))
            for state in states.values()
            if state.cluster == cluster and service in ("", state.name)
            for task in state.tasks.values()
            if timeline.is_wanted(task) == (status == "RUNNING") and _matches(task, given)
        ]
    return found


def _matches(task: Task, given: dict[str, Any]) -> bool:
    family = given.get("family")
    started_by = given.get("started_by")
    if family and task.definition.rpartition("/")[2].rpartition(":")[0] != family:
        return False
    return not started_by or task.deployment == started_by


@wrap(EC2ContainerServiceResponse, "list_tasks")
def _list_page(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    answer: ActionResult = original(self)
    arns = answer.result["taskArns"]  # type: ignore[index]
    first = int(self._get_param("nextToken") or 0)
    last = first + min(self._get_int_param("maxResults") or _MOST_TASKS, _MOST_TASKS)
    page: dict[str, Any] = {"taskArns": arns[first:last]}
    return ActionResult(page | ({"nextToken": str(last)} if last < len(arns) else {}))


@wrap(EC2ContainerServiceBackend, "describe_tasks")
def _describe(
    original: Any, self: EC2ContainerServiceBackend, cluster_str: str, tasks: list[str]
) -> list[Any]:
    if not tasks:
        found: list[Any] = original(self, cluster_str, tasks)
        return found
    if len(tasks) > _MOST_TASKS:
        raise InvalidParameterException("Tasks cannot have more than 100 elements.")
    self._get_cluster(cluster_str)
    with services.caught_up(self):
        ours = _ours(self, cluster_str)
        asked = {name.rpartition("/")[2] for name in tasks}
        described = [
            task_rows.row(self, service, state, task, unix_time())
            for identity, (service, state, task) in ours.items()
            if identity in asked
        ]
    others = [name for name in tasks if name.rpartition("/")[2] not in ours]
    return described + (original(self, cluster_str, others) if others else [])


@wrap(EC2ContainerServiceResponse, "describe_tasks")
def _with_failures(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    answer: ActionResult = original(self)
    result: dict[str, Any] = answer.result  # type: ignore[assignment]
    known = {_arn_of(task).rpartition("/")[2] for task in result["tasks"]}
    cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
    prefix = str(cluster.arn).replace(":cluster/", ":task/")
    result["failures"] = [
        {"arn": name if name.startswith("arn:") else f"{prefix}/{name}", "reason": "MISSING"}
        for name in self._get_param("tasks", [])
        if name.rpartition("/")[2] not in known
    ]
    return answer


def _arn_of(task: Any) -> str:
    return str(task["taskArn"] if isinstance(task, dict) else task.task_arn)


@wrap(EC2ContainerServiceBackend, "stop_task")
def _stop(
    original: Any, self: EC2ContainerServiceBackend, cluster_str: str, task_str: str, reason: str
) -> Any:
    with services.caught_up(self):
        found = _ours(self, cluster_str).get(task_str.rpartition("/")[2])
        if found is not None:
            service, state, task = found
            now = max(time.time(), state.clock)
            if timeline.is_wanted(task):
                timeline.end(
                    task, now, code="UserInitiated", reason=reason or "Task stopped by user", exit_code=0
                )
                engine.advance(state, now, services.world_of(self))
            return task_rows.row(self, service, state, task, unix_time())
    return original(self, cluster_str, task_str, reason)


def _ours(backend: EC2ContainerServiceBackend, cluster_str: str) -> dict[str, tuple[Any, ServiceState, Task]]:
    cluster = backend._get_cluster(cluster_str).name
    return {
        task.id: (service, state, task)
        for service in backend.services.values()
        if service.cluster_name == cluster
        for state in [services.state_of(service)]
        for task in state.tasks.values()
    }
