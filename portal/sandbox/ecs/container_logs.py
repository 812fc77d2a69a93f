"""What containers say: the lines of each task in its awslogs group, written when somebody reads the group.

A line is a function of the task's life, like everything else here; nothing runs in between.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.utils import unix_time
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.logs.models import LogGroup, LogsBackend

from portal.sandbox.ecs import running_once, services
from portal.sandbox.ecs.one_off import OneOff
from portal.sandbox.ecs.state import ServiceState, Task
from portal.sandbox.patching import store

Line = tuple[float, str]
# Two readers at once must not both write what is due.
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Stream:
    """One container of one task: "prefix/container/task" and everything it says, also in the future."""

    name: str
    lines: tuple[Line, ...]


def write_due(logs: LogsBackend, account: str, region: str, group_name: str) -> None:
    """Put what has been said by now into the streams of that group."""
    group = logs.groups.get(group_name)
    if group is None or account not in ecs_backends:
        return
    now, written = unix_time(), store(logs, "written")
    with _LOCK:
        for stream in streams(ecs_backends[account][region], group_name):
            key = f"{group_name}:{stream.name}"
            known: int = written.get(key, 0)
            due = [line for line in stream.lines[known:] if line[0] <= now]
            if due:
                _write(group, stream.name, due)
                written[key] = known + len(due)


def _write(group: LogGroup, name: str, lines: list[Line]) -> None:
    if name not in group.streams:
        group.create_log_stream(name)
    rows = [{"timestamp": int(at * 1000), "message": text} for at, text in lines]
    group.streams[name].put_log_events(rows)


def streams(backend: EC2ContainerServiceBackend, group: str) -> Iterator[Stream]:
    """Every container that writes to that group."""
    for task in list(running_once.tasks_of(backend).values()):
        for container in task.containers:
            if container.log_group == group:
                name = _name(container.log_prefix, container.name, task.id)
                yield Stream(name, tuple(_once(task, container.name)))
    with services.caught_up(backend) as states:
        for state in states.values():
            for served in list(state.tasks.values()):
                yield from _of_service(backend, state, served, group)


def _of_service(
    backend: EC2ContainerServiceBackend, state: ServiceState, task: Task, group: str
) -> Iterator[Stream]:
    rows: list[dict[str, Any]] = backend.describe_task_definition(task.definition).container_definitions
    for container in rows:
        options: Mapping[str, Any] = (container.get("logConfiguration") or {}).get("options") or {}
        if options.get("awslogs-group") == group:
            name = _name(options.get("awslogs-stream-prefix") or "", str(container["name"]), task.id)
            yield Stream(name, tuple(_served(task, container)))


def _name(prefix: str, container: str, task: str) -> str:
    return f"{prefix}/{container}/{task}" if prefix else task


def _once(task: OneOff, container: str) -> Iterator[Line]:
    if task.running_at is None:
        return
    found = next(one for one in task.containers if one.name == container)
    words = shlex.join(found.command)
    yield task.running_at, f"INFO {'running: ' + words if words else 'started'}"
    if task.ends_at >= task.running_at and found.exit_code is not None:
        yield task.ends_at, _last_words(task, found.exit_code)


def _last_words(task: OneOff, code: int) -> str:
    if code == 0:
        return "INFO done"
    if code == 143:
        return "INFO received SIGTERM, stopping"
    if code == 137:
        return "ERROR cannot allocate memory"
    return f"ERROR it failed with exit code {code}"


def _served(task: Task, container: Mapping[str, Any]) -> Iterator[Line]:
    """A server's lines: the start, what goes wrong before a fault ends it, and the end."""
    if task.running_at is None:
        return
    digest = next((digest for name, _, digest in task.images if name == container["name"]), "")
    port = next((row.get("containerPort") for row in container.get("portMappings") or []), None)
    if task.stopping_at is not None and task.stopping_at < task.running_at:
        return
    yield task.running_at, f"INFO starting {container['name']} {digest[:19]}"
    yield task.running_at, f"INFO listening on port {port}" if port else "INFO ready"
    if task.unhealthy_at is not None:
        yield task.unhealthy_at, "ERROR GET /health 503: the database pool did not come up in time"
    if task.stopping_at is None:
        return
    if task.exit_code == 137:
        yield task.stopping_at, "ERROR cannot allocate memory"
    else:
        yield task.stopping_at, "INFO received SIGTERM, finishing open requests"
