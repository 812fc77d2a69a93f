"""Where a task's containers write their log, and its last lines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from portal.aws import ecs, logs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.core.redaction import Redactor, mask_forms, mask_patterns
from portal.core.wellformed import kept

LINES = 50
LINE_LENGTH = 2000


@lru_cache(maxsize=256)
def containers_of(access: AccountAccess, definition_arn: str) -> tuple[Mapping[str, Any], ...]:
    """The container definitions of a revision, which never change. Raises AwsError."""
    return tuple(ecs.describe_task_definition(access, definition_arn).get("containerDefinitions", []))


def place_of(container: Mapping[str, Any], task_arn: str) -> tuple[str, str]:
    """(log group, stream) of one container of a task; ("", "") where it does not write to CloudWatch Logs."""
    configuration = container.get("logConfiguration") or {}
    options = configuration.get("options") or {}
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if configuration.get("logDriver") != "awslogs" or not group or not prefix:
        # Without a prefix the stream has the name of Docker's own id, which ECS does not tell.
        return "", ""
    return str(group), f"{prefix}/{container.get('name')}/{task_arn.rpartition('/')[2]}"


def last_lines(
    access: AccountAccess, definition_arn: str, task_arn: str, container: str, redactor: Redactor
) -> str:
    """The last lines of a task's container, redacted; what kept us from reading them, in AWS's words, instead."""
    try:
        for one in containers_of(access, definition_arn):
            if one.get("name") == container:
                group, stream = place_of(one, task_arn)
                found = logs.tail(access, group, stream, limit=LINES) if group else []
                return redacted("\n".join(line[:LINE_LENGTH] for line in found), redactor)
    except AwsError as refused:
        return f"({refused.message})"
    return ""


def redacted(text: str, redactor: Redactor) -> str:
    """Without known secrets and what looks like one."""
    return kept(mask_patterns(mask_forms(redactor.redact(text))))
