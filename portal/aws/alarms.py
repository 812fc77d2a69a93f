"""CloudWatch alarms: in which state the named ones are.

ECS reads alarms through the same quota while it deploys, and skips an alarm's rollback when it is throttled:
whoever watches asks seldom, and for a hundred names at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from portal.aws.sessions import AccountAccess, pages

# Without AlarmTypes AWS tells of metric alarms alone.
TYPES: Final = ("MetricAlarm", "CompositeAlarm", "LogAlarm")
NAMES_PER_CALL: Final = 100
OK: Final = "OK"
ALARM: Final = "ALARM"
NO_DATA: Final = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class AlarmState:
    """One alarm: `state` is OK, ALARM or INSUFFICIENT_DATA; `since` when it came into it, aware."""

    name: str
    state: str
    reason: str
    since: datetime | None


def states(access: AccountAccess, names: Iterable[str]) -> dict[str, AlarmState]:
    """name -> its state, of those alarms that there are; a name that is missing here is no alarm.

    Raises AwsError.
    """
    found: dict[str, AlarmState] = {}
    for some in _batches(sorted(set(names))):
        for page in pages(
            access, "cloudwatch", "describe_alarms", AlarmNames=list(some), AlarmTypes=list(TYPES)
        ):
            for kind in TYPES:
                found |= {row["AlarmName"]: _state(row) for row in page.get(f"{kind}s", [])}
    return found


def _batches(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), NAMES_PER_CALL):
        yield names[start : start + NAMES_PER_CALL]


def _state(row: Mapping[str, Any]) -> AlarmState:
    # StateUpdatedTimestamp also moves when the state stays and only its reason changes.
    since = row.get("StateTransitionedTimestamp") or row.get("StateUpdatedTimestamp")
    return AlarmState(str(row["AlarmName"]), str(row["StateValue"]), str(row.get("StateReason", "")), since)
