"""What an apply that ended early puts before the next run of its environment: a person's decision."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.lifecycle import FINAL
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.leftovers.rows import UNSETTLED, names, of
from environments.runs.models import Leftover, Mode, TerraformRun


@dataclass(frozen=True)
class Blocker:
    """Why a run of this environment has to wait, and the change whose page says what to do."""

    text: str
    change: Change

    @property
    def link(self) -> str:
        return reverse("changes:detail", args=[self.change.uuid]) + "#leftovers"


def troubled() -> frozenset[int]:
    """Environments (primary keys) where `blocker` may find something, in two queries for all."""
    rows = Leftover.objects.filter(state__in=UNSETTLED).order_by().values_list("environment_id", flat=True)
    runs = TerraformRun.objects.filter(unreckoned=True).order_by()
    return frozenset(rows.distinct()) | frozenset(runs.values_list("change__environment_id", flat=True))


def blocker(environment: Environment, mode: str, *, apart_from: Change | None = None) -> Blocker | None:
    """What stands before a run of this mode here; None when nothing does. A plan alters nothing and may pass."""
    if mode == Mode.PLAN:
        return None
    ended = TerraformRun.objects.filter(
        change__environment=environment, unreckoned=True, change__status__in=FINAL
    ).select_related("change__environment__tenant")
    if apart_from is not None:
        ended = ended.exclude(change=apart_from)
    for run in ended[:1]:
        text = _("“%(title)s” ended early, and what it left is not worked out yet.")
        return Blocker(text % {"title": run.change.title}, run.change)
    undecided = list(of(environment, Leftover.State.OPEN))
    if undecided:
        text = ngettext(
            "“%(title)s” ended early and left %(n)s resource that no state holds: %(names)s. "
            "Somebody has to import or dismiss it first.",
            "“%(title)s” ended early and left %(n)s resources that no state holds: %(names)s. "
            "Somebody has to import or dismiss each first.",
            len(undecided),
        )
        return Blocker(_about(text, undecided), undecided[0].change)
    if mode == Mode.DESTROY:
        marked = list(of(environment, Leftover.State.IMPORTING))
        if marked:
            text = _(
                "A destroy imports nothing, so it would leave what “%(title)s” left: %(names)s. "
                "Apply once, which imports it, or dismiss it; then destroy."
            )
            return Blocker(_about(text, marked), marked[0].change)
    return None


def _about(text: str, rows: list[Leftover]) -> str:
    return text % {"title": rows[0].change.title, "n": len(rows), "names": names(row.address for row in rows)}
