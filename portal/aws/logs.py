"""CloudWatch Logs: the last lines of a stream, and whether a group is there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

MISSING: Final = frozenset({"ResourceNotFoundException"})


def tail(
    access: AccountAccess, group: str, stream: str, *, limit: int = 50, since: datetime | None = None
) -> list[str]:
    """The last lines of a stream, the oldest first; none while nothing was written there. Raises AwsError.

    With `since`, lines from then on alone.
    """
    return [text for _at, text in entries(access, group, stream, limit=limit, since=since)]


def entries(
    access: AccountAccess, group: str, stream: str, *, limit: int = 50, since: datetime | None = None
) -> list[tuple[int, str]]:
    """As `tail`, each line with its time in milliseconds since 1970."""
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "limit": limit}
    if since is not None:
        asked["startTime"] = int(since.timestamp() * 1000)
    try:
        answer = call(access, "logs", "get_log_events", **asked, startFromHead=False)
    except AwsError as refused:
        if refused.code in MISSING:
            return []
        raise
    events = answer.get("events", [])
    return [(int(event["timestamp"]), str(event["message"])) for event in events][-limit:]


def group_exists(access: AccountAccess, group: str) -> bool:
    """Whether there is a log group of just this name. Raises AwsError."""
    answer = call(access, "logs", "describe_log_groups", logGroupNamePrefix=group)
    # The group itself sorts before every longer name: it is on the first page.
    return any(one.get("logGroupName") == group for one in answer.get("logGroups", []))
