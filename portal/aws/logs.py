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
    asked: dict[str, Any] = {"limit": limit, "startFromHead": False}
    if since is not None:
        asked["startTime"] = int(since.timestamp() * 1000)
    return [text for _at, text in _events(access, group, stream, **asked)][-limit:]


def follow(
    access: AccountAccess, group: str, stream: str, *, since: int = 0, limit: int = 1000
) -> list[tuple[int, str]]:
    """(milliseconds since 1970, line) from `since` on, the oldest first: what to read next. Raises AwsError."""
    return _events(access, group, stream, startTime=since, limit=limit, startFromHead=True)


def _events(access: AccountAccess, group: str, stream: str, **asked: Any) -> list[tuple[int, str]]:
    try:
        answer = call(access, "logs", "get_log_events", logGroupName=group, logStreamName=stream, **asked)
    except AwsError as refused:
        if refused.code in MISSING:
            # A stream is made with its first line.
            return []
        raise
    return [(int(event["timestamp"]), str(event["message"])) for event in answer.get("events", [])]


def group_exists(access: AccountAccess, group: str) -> bool:
    """Whether there is a log group of just this name. Raises AwsError."""
    answer = call(access, "logs", "describe_log_groups", logGroupNamePrefix=group)
    # The group itself sorts before every longer name: it is on the first page.
    return any(one.get("logGroupName") == group for one in answer.get("logGroups", []))
