"""What was seen while a deployment went on: stopped tasks with their causes, events, one-off tasks, checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from environments.deployments.catalogue import Diagnosis
from environments.deployments.models import (
    CheckResult,
    DeploymentPart,
    OneOffTask,
    ServiceEvent,
    ServiceProposal,
    StoppedTask,
)
from environments.deployments.rollout import diagnosis
from environments.deployments.shown.revisions import short_id
from environments.registry import FAILING, HEALTHY, PROGRESS

STOPPED_SHOWN: Final = 8
EVENTS_SHOWN: Final = 12
# So many of all parts together are read; more tell nothing new.
MOST: Final = 100


@dataclass(frozen=True)
class Stopped:
    """A stopped task with what the catalogue says of it."""

    row: StoppedTask
    diagnosis: Diagnosis | None
    exits: str
    # So many stopped for this reason; `row` is the newest of them.
    count: int = 1

    @property
    def id(self) -> str:
        return short_id(self.row.task_arn)

    @property
    def fold_id(self) -> str:
        return f"stopped-{self.row.pk}"

    @property
    def says(self) -> str:
        """AWS's own words: the container's reason where it has one, it is the more exact."""
        reasons = [str(one.get("reason") or "") for one in self.row.containers]
        return next((text for text in reasons if text), self.row.stopped_reason)


@dataclass(frozen=True)
class OneOff:
    """A one-off task: running, done or failed."""

    row: OneOffTask
    state: str
    word: str

    @property
    def fold_id(self) -> str:
        return f"one-off-{self.row.pk}"


@dataclass(frozen=True)
class Evidence:
    """Everything seen of one service."""

    stopped: list[Stopped] = field(default_factory=list)
    stopped_more: int = 0
    events: list[tuple[ServiceEvent, Diagnosis | None]] = field(default_factory=list)
    one_off: list[OneOff] = field(default_factory=list)
    checks: list[tuple[str, str, CheckResult]] = field(default_factory=list)
    tag: str = ""
    digest: str = ""

    @property
    def fold_id(self) -> str:
        return f"events-{self.events[0][0].part_id}" if self.events else ""

    @property
    def newest_event(self) -> str:
        return Truncator(self.events[0][0].message).chars(70) if self.events else ""


def gather(parts: Sequence[DeploymentPart], *, proposal: int | None) -> dict[int, Evidence]:
    """Part -> its evidence, in five queries for any number of parts."""
    ids = [part.pk for part in parts]
    stopped = list(StoppedTask.objects.filter(part_id__in=ids).order_by("-captured_at", "-pk")[:MOST])
    events = list(ServiceEvent.objects.filter(part_id__in=ids).order_by("-at", "-pk")[:MOST])
    tasks = list(OneOffTask.objects.filter(part_id__in=ids).order_by("pk"))
    checks = list(CheckResult.objects.filter(part_id__in=ids).order_by("pk"))
    wanted = ServiceProposal.objects.filter(part_id__in=ids, proposal_id=proposal or 0)
    images = {part: (tag, digest) for part, tag, digest in wanted.values_list("part_id", "tag", "digest")}
    found: dict[int, Evidence] = {}
    for pk in ids:
        own = alike([row for row in stopped if row.part_id == pk])
        tag, digest = images.get(pk, ("", ""))
        found[pk] = Evidence(
            stopped=[shown(rows[0], len(rows)) for rows in own[:STOPPED_SHOWN]],
            stopped_more=sum(len(rows) for rows in own[STOPPED_SHOWN:]),
            events=[
                (row, diagnosis.explain_event(row.message))
                for row in [one for one in events if one.part_id == pk][:EVENTS_SHOWN]
            ],
            one_off=[one_off(row) for row in tasks if row.part_id == pk],
            checks=[_check(row) for row in checks if row.part_id == pk],
            tag=tag,
            digest=digest,
        )
    return found


def alike(rows: Sequence[StoppedTask]) -> list[list[StoppedTask]]:
    """Tasks that stopped for the same reason, each group newest first: a hundred dead tasks tell one story."""
    groups: dict[str, list[StoppedTask]] = {}
    for row in rows:
        groups.setdefault(row.diagnosis or f"{row.stop_code} {row.stopped_reason}", []).append(row)
    return list(groups.values())


def shown(row: StoppedTask, count: int = 1) -> Stopped:
    exits = [
        f"{one.get('name', '')} {one['exit_code']}"
        for one in row.containers
        if one.get("exit_code") is not None
    ]
    found = diagnosis.named(row.diagnosis) if row.diagnosis else None
    return Stopped(row, found, ", ".join(exits), count)


def one_off(row: OneOffTask) -> OneOff:
    if row.finished_at is None:
        return OneOff(row, PROGRESS, _("Running") if row.started_at else _("Starting"))
    if row.exit_code == 0:
        return OneOff(row, HEALTHY, _("Done"))
    if row.exit_code is None:
        return OneOff(row, FAILING, _("Ended without an exit code"))
    return OneOff(row, FAILING, _("Failed with exit code %(code)s") % {"code": row.exit_code})


def _check(row: CheckResult) -> tuple[str, str, CheckResult]:
    if row.ok is None:
        return PROGRESS, _("Being tried"), row
    return (HEALTHY, _("Passed"), row) if row.ok else (FAILING, _("Failed"), row)
