"""What the overview shows: every environment with its verdicts, worst first, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes import reviews
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Review, Start
from environments.models import Environment, Hold, Resource
from environments.registry import (
    ATTENTION,
    FAILING,
    PROGRESS,
    SEVERITY,
    UNKNOWN,
    Chip,
    Column,
    Need,
    registry,
)
from portal.accounts.models import User
from portal.core.templatetags.states import change_state

# More rows than anybody reads at once; the filters lead to the others.
ROWS_SHOWN: Final = 200
LAST_CHANGE: Final = (
    "uuid",
    "title",
    "status",
    "start",
    "start_pressed_at",
    "requested_by_name",
    "created_at",
)


Cells = list[tuple[Column, Chip | None]]


@dataclass(frozen=True)
class ToDo:
    """The one thing to do about an environment."""

    label: str
    link: str


@dataclass(frozen=True)
class Row:
    """One environment with a verdict for each of the registry's columns; `state` is the worst of all."""

    environment: Environment
    cells: Cells
    state: str
    last: Change | None
    pending: int
    resources: int
    hold: Hold | None
    debt: Review | None
    todo: ToDo | None

    @property
    def is_calm(self) -> bool:
        """Nothing here asks for a second line."""
        return self.state not in (FAILING, ATTENTION, PROGRESS)

    @property
    def rank(self) -> tuple[int, str, str]:
        """Worst first; what is only described comes last, because nobody waits for news of it."""
        described = not self.environment.blueprint and self.state == UNKNOWN
        severity = len(SEVERITY) if described else SEVERITY.index(self.state)
        return severity, self.environment.tenant.name, self.environment.slug


def needs_of(user: User) -> list[Need]:
    """Everything that waits for this person: worst first, the newest of a kind first."""
    found = [need for ask in registry.needs for need in ask(user)]
    return sorted(found, key=lambda need: (SEVERITY.index(need.state), -need.at.timestamp()))


def fleet(environments: QuerySet[Environment]) -> list[Row]:
    """A row for each of these environments, worst first. As many queries for one as for a thousand."""
    newest = Change.objects.filter(environment=OuterRef("pk")).order_by("-created_at", "-id").values("pk")[:1]
    rows = list(environments.select_related("tenant", "account").annotate(last_change=Subquery(newest)))
    ids = [row.pk for row in rows]
    columns = [(column, column.cells(rows)) for column in registry.sorted_columns()]
    last = Change.objects.only(*LAST_CHANGE).in_bulk([row.last_change for row in rows if row.last_change])
    awaited = _awaited(ids)
    counted = Resource.objects.filter(environment_id__in=ids).order_by().values_list("environment_id")
    resources = dict(counted.annotate(n=Count("pk")))
    holds = {hold.environment_id: hold for hold in Hold.objects.active().filter(environment_id__in=ids)}
    debts = reviews.by_environment(ids)
    found = [
        _row(
            row,
            [(column, chips.get(row.pk)) for column, chips in columns],
            last.get(row.last_change),
            awaited.get(row.pk, []),
            resources.get(row.pk, 0),
            holds.get(row.pk),
            debts.get(row.pk),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: row.rank)


def _awaited(ids: Sequence[int]) -> Mapping[int, list[UUID]]:
    """Changes that wait for votes, oldest first, by environment."""
    found: dict[int, list[UUID]] = {}
    waiting = Change.objects.filter(environment_id__in=ids, status=Status.AWAITING_APPROVAL)
    for environment_id, uuid in waiting.order_by("created_at").values_list("environment_id", "uuid"):
        found.setdefault(environment_id, []).append(uuid)
    return found


def _row(
    environment: Environment,
    cells: Cells,
    last: Change | None,
    awaited: list[UUID],
    resources: int,
    hold: Hold | None,
    debt: Review | None,
) -> Row:
    states = [chip.state for _column, chip in cells if chip]
    states += [ATTENTION] if awaited or debt else []
    states += [change_state(last.status)] if last else []
    known = [state for state in states if state in SEVERITY]
    return Row(
        environment=environment,
        cells=cells,
        state=min(known, key=SEVERITY.index) if known else UNKNOWN,
        last=last,
        pending=len(awaited),
        resources=resources,
        hold=hold,
        debt=debt,
        todo=_to_do(environment, cells, last, awaited),
    )


def _to_do(environment: Environment, cells: Cells, last: Change | None, awaited: list[UUID]) -> ToDo | None:
    slugs = [environment.tenant.slug, environment.slug]
    if awaited:
        label = ngettext("Review %(n)s change", "Review %(n)s changes", len(awaited)) % {"n": len(awaited)}
        if len(awaited) == 1:
            return ToDo(label, reverse("changes:detail", args=awaited))
        return ToDo(label, reverse("changes:of_environment", args=slugs))
    label = _about(last) if last else ""
    if last and label:
        return ToDo(label, reverse("changes:detail", args=[last.uuid]))
    for _column, chip in cells:
        if chip and chip.link and chip.state in (FAILING, ATTENTION):
            return ToDo(_("Look"), chip.link)
    if environment.blueprint and last is None:
        return ToDo(_("Plan a first run"), reverse("environments:detail", args=slugs))
    return None


def _about(last: Change) -> str:
    """What the newest change asks for; empty when it is over and well."""
    if last.status == Status.APPROVED and last.start == Start.MANUAL and last.start_pressed_at is None:
        return _("Start it")
    return {FAILING: _("Read the error"), PROGRESS: _("Watch")}.get(change_state(last.status), "")


def by_state(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """How many rows are in each state, worst first; states nobody is in are left out."""
    counts = {state: sum(row.state == state for row in rows) for state in SEVERITY}
    return [(state, count) for state, count in counts.items() if count]
