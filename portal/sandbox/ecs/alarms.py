"""Which of an account's alarms are about a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.sandbox.ecs.state import ServiceState


def of_service(state: ServiceState, known: Iterable[Any]) -> list[str]:
    """Its deployment alarms, and those that measure the service or one of its target groups."""
    named = set((state.configuration.get("alarms") or {}).get("alarmNames") or [])
    groups = {_short(group) for revision in state.revisions.values() for group, _ in revision.groups}
    return [alarm.name for alarm in known if alarm.name in named or _measures(alarm, state, groups)]


def _measures(alarm: Any, state: ServiceState, groups: set[str]) -> bool:
    dimensions = {found.name: found.value for found in _dimensions(alarm)}
    if dimensions.get("ServiceName") == state.name:
        return bool(dimensions.get("ClusterName", state.cluster) == state.cluster)
    return str(dimensions.get("TargetGroup")) in groups


def _dimensions(alarm: Any) -> list[Any]:
    found = list(alarm.dimensions or [])
    for query in alarm.metric_data_queries or []:
        if query.metric_stat is not None:
            found += query.metric_stat.metric.dimensions or []
    return found


def _short(group: str) -> str:
    return group.rpartition(":")[2]
