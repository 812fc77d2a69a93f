"""DeleteTaskDefinitions: what a service still runs stays, as DELETE_IN_PROGRESS, until nobody needs it."""

from __future__ import annotations

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend

from portal.sandbox.ecs import services
from portal.sandbox.patching import wrap


@wrap(EC2ContainerServiceBackend, "delete_task_definitions")
def _delete(original: Any, self: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> Any:
    with services.caught_up(self) as states:
        needed = {
            revision.definition
            for state in states.values()
            if state.active
            for revision in state.revisions.values()
        }
        needed |= {task.definition for state in states.values() for task in state.tasks.values()}
    deleted, failures = original(self, *args, **kwargs)
    for definition in deleted:
        if definition.arn in needed:
            self.task_definitions[definition.family][definition.revision] = definition
    return deleted, failures
