"""Tasks and targets as rows: state in the vocabulary, whether old or new, where, since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _

from environments.deployments.shown.revisions import revision, short_digest
from environments.registry import ATTENTION, FAILING, HEALTHY, PROGRESS, UNKNOWN

STARTING = {"PROVISIONING", "PENDING", "ACTIVATING"}
STOPPING = {"DEACTIVATING", "STOPPING", "DEPROVISIONING"}


@dataclass(frozen=True)
class TaskRow:
    """One task as a table shows it; `state` and `word` are the vocabulary's."""

    id: str
    arn: str
    new: bool
    state: str
    word: str
    health: str
    health_state: str
    digest: str
    full_digest: str
    revision: str
    zone: str
    started_at: datetime | None


def task_rows(tasks: Sequence[Mapping[str, Any]]) -> list[TaskRow]:
    """New ones first, what is in trouble or moves before what is well."""
    found = [task_row(one) for one in tasks]
    order = (FAILING, PROGRESS, ATTENTION, UNKNOWN, HEALTHY, "quiet")
    return sorted(found, key=lambda row: (not row.new, order.index(row.state), row.id))


def task_row(task: Mapping[str, Any]) -> TaskRow:
    state, word = _state(task)
    health_state, health = _health(str(task.get("health") or ""))
    return TaskRow(
        id=str(task.get("id", "")),
        arn=str(task.get("arn", "")),
        new=bool(task.get("new")),
        state=state,
        word=word,
        health=health,
        health_state=health_state,
        digest=short_digest(str(task.get("digest") or "")),
        full_digest=str(task.get("digest") or ""),
        revision=revision(str(task.get("task_definition") or "")),
        zone=str(task.get("zone") or ""),
        started_at=moment(task.get("started_at")),
    )


def _state(task: Mapping[str, Any]) -> tuple[str, str]:
    last, desired = str(task.get("last_status") or ""), str(task.get("desired_status") or "")
    if last == "STOPPED":
        return "quiet", _("Stopped")
    if last in STOPPING or desired == "STOPPED":
        return "quiet", _("Stopping")
    if last in STARTING:
        return PROGRESS, _("Starting")
    if last == "RUNNING":
        return (FAILING, _("Unhealthy")) if task.get("health") == "UNHEALTHY" else (HEALTHY, _("Running"))
    return UNKNOWN, last or _("Unknown")


def _health(health: str) -> tuple[str, str]:
    """The container's own health check; ECS says UNKNOWN where there is none, or none has answered yet."""
    words = {"HEALTHY": (HEALTHY, _("healthy")), "UNHEALTHY": (FAILING, _("unhealthy"))}
    return words.get(health, (UNKNOWN, _("not told")))


TARGET_STATES: Mapping[str, str] = {
    "healthy": HEALTHY,
    "initial": PROGRESS,
    "unhealthy": FAILING,
    "unhealthy.draining": ATTENTION,
    "draining": "quiet",
    "unused": "quiet",
    "unavailable": UNKNOWN,
}


def target_counts(counts: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """(state, ELB's word, number) of the load balancer's targets, the worst first."""
    order = (FAILING, ATTENTION, PROGRESS, UNKNOWN, HEALTHY, "quiet")
    found = [
        (TARGET_STATES.get(word, UNKNOWN), word, int(number)) for word, number in counts.items() if number
    ]
    return sorted(found, key=lambda row: (order.index(row[0]), row[1]))


def moment(text: Any) -> datetime | None:
    """A stored time; None of what is none."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and is_aware(found) else None
