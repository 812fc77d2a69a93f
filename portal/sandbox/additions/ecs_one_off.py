"""ECS: tasks started by RunTask. What RunTask did not start on Fargate is left to others."""

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import unix_time
from moto.ecs.responses import EC2ContainerServiceResponse

from portal.sandbox.ecs import one_off, running_once
from portal.sandbox.ecs.one_off_shown import described
from portal.sandbox.patching import wrap


@wrap(EC2ContainerServiceResponse, "run_task")
def _run(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    asked = dict(self._get_params())
    if not running_once.is_fargate(asked):
        answer: ActionResult = original(self)
        return answer
    now = unix_time()
    tasks = running_once.run(self.ecs_backend, asked)
    return ActionResult({"tasks": [described(task, now) for task in tasks], "failures": []})


@wrap(EC2ContainerServiceResponse, "stop_task")
def _stop(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    named = self._get_param("task") or ""
    task = running_once.find(self.ecs_backend, self._get_param("cluster") or "", named)
    if task is None:
        answer: ActionResult = original(self)
        return answer
    now = unix_time()
    one_off.stop(task, now, self._get_param("reason") or "")
    return ActionResult({"task": described(task, now)})


@wrap(EC2ContainerServiceResponse, "describe_tasks")
def _describe(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    cluster, named = self._get_param("cluster") or "", self._get_param("tasks") or []
    found = {name: running_once.find(self.ecs_backend, cluster, name) for name in named}
    mine = [task for task in found.values() if task is not None]
    if not mine:
        answer: ActionResult = original(self)
        return answer
    now, tags = unix_time(), "TAGS" in (self._get_param("include") or [])
    rows: list[Any] = [described(task, now, tags=tags) for task in mine]
    failures: list[Any] = []
    if len(mine) < len(named):
        others: Any = original(self).result
        rows += others["tasks"]
        gone = {name for name, task in found.items() if task is not None}
        failures = [failure for failure in others["failures"] if not _names(failure["arn"], gone)]
    return ActionResult({"tasks": rows, "failures": failures})


@wrap(EC2ContainerServiceResponse, "list_tasks")
def _list(original: Any, self: EC2ContainerServiceResponse) -> ActionResult:
    answer: Any = original(self)
    if not answer.result.get("nextToken"):
        # Behind the last page of the services' tasks.
        mine = running_once.listed(self.ecs_backend, dict(self._get_params()))
        answer.result["taskArns"] = [*answer.result["taskArns"], *(task.arn for task in mine)]
    found: ActionResult = answer
    return found


def _names(arn: str, names: set[str]) -> bool:
    return arn in names or arn.rpartition("/")[2] in {name.rpartition("/")[2] for name in names}
