"""Who owns each field of a service's task definition, and where its value comes from.

The blueprint says it (declarations.py, `deployment_owns`): an image is always a deployment's, everything that is
not named there is Terraform's and comes from the newest revision in the environment's state.
"""

from __future__ import annotations

from typing import Final

from environments.deployments.declarations import Declaration
from environments.models import Environment, Resource

DEPLOYMENT: Final = "deployment"
TERRAFORM: Final = "terraform"
# Where a rendered value comes from.
REQUEST: Final = "request"
RUNNING: Final = "running"
TYPE: Final = "aws_ecs_task_definition"
# Of the task itself, these follow the container that deployments are for.
SIZES: Final = ("cpu", "memory")


def owner(declaration: Declaration, path: str, *, declared: bool) -> str:
    """Whose the field is: of a container's path such as "environment.LOG_LEVEL", or of the task's cpu and memory.

    `declared` says whether it is the container that deployments are for, or the task.
    """
    return DEPLOYMENT if declared and declaration.owns(path) else TERRAFORM


def source(found: str, *, asked: bool, terraform: bool) -> str:
    """Where a field of this owner gets its value: from the request, from what runs, from Terraform's revision."""
    if asked:
        return REQUEST
    return TERRAFORM if found == TERRAFORM and terraform else RUNNING


def newest_of_terraform(environment: Environment, declaration: Declaration, family: str) -> str:
    """The ARN of Terraform's newest revision: as declared, else that of the family's resource; "" when there is none."""
    if declaration.task_definition:
        return declaration.task_definition
    rows = Resource.objects.filter(environment=environment, type=TYPE)
    arns = {row.arn or str(row.attributes.get("arn") or "") for row in rows}
    fitting = [arn for arn in arns if family_of(arn) == family]
    return max(fitting, key=_revision, default="")


def family_of(arn: str) -> str:
    """ "api" of arn:...:task-definition/api:7."""
    return arn.rpartition("/")[2].rpartition(":")[0]


def _revision(arn: str) -> int:
    number = arn.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
