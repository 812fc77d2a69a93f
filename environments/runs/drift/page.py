"""What the Drift tab shows: what Terraform does not see, the worst first, and the rows of the last drift plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from environments.changes.lifecycle import OPEN
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import refusal
from environments.runs.drift import checks
from environments.runs.drift import rows as drift_rows
from environments.runs.live import actions as live_actions
from environments.runs.live import rows as live_rows
from environments.runs.live import shown as live_shown
from environments.runs.live import text
from environments.runs.live.risk import CRITICAL
from environments.runs.models import DriftCheck, ExtraRemoval, LiveCheck, LiveExtra

# More than anybody reads on one page; the rest is counted, and the API has it.
MOST_SHOWN = 200


@dataclass(frozen=True)
class ShownExtra:
    """An extra in the reader's words; `removal` is the change under way for it."""

    row: LiveExtra
    removal: Change | None = None

    @property
    def title(self) -> str:
        return text.title(self.row)

    @property
    def why(self) -> str:
        return text.why(self.row)

    @property
    def level(self) -> str:
        return text.level(self.row)

    @property
    def level_word(self) -> str:
        return text.level_word(self.row)

    @property
    def unknown(self) -> str:
        return text.unknown_why(self.row)


def shown(rows: Iterable[LiveExtra]) -> list[ShownExtra]:
    """With the changes under way for them, in one query."""
    found = list(rows)
    open_ones = ExtraRemoval.objects.filter(extra__in=found, change__status__in=OPEN).select_related("change")
    changes = {one.extra_id: one.change for one in open_ones}
    return [ShownExtra(row, changes.get(row.pk)) for row in found]


def context(environment: Environment, roles: frozenset[str]) -> dict[str, Any]:
    """Both parts of the tab."""
    check, judged = drift_rows.of(environment)
    extras = live_rows.open_extras(environment)
    alarming = live_rows.unsettled(extras)
    return {
        "check": check if check.pk else None,
        "judged": judged,
        "hidden_rows": max(judged.count - len(judged.rows), 0),
        "applied": checks.last_applied(environment),
        "busy": checks.open_change(environment),
        "denied": refusal(roles, "drift.check"),
        "live_check": LiveCheck.objects.filter(environment=environment).first(),
        "looked_at": live_actions.can_look(environment),
        "extras": shown(alarming[:MOST_SHOWN]),
        "extra_count": alarming.count(),
        "critical": alarming.filter(risk__gte=CRITICAL).count(),
        "settled": shown(extras.exclude(pk__in=alarming.values("pk"))[:MOST_SHOWN]),
    }


def count(environment: Environment) -> int:
    """The tab's figure, what nobody has decided about; asked for on every page of the environment."""
    stored = DriftCheck.objects.filter(environment=environment, verdict=DriftCheck.Verdict.DRIFTED)
    drifted = stored.values_list("count", flat=True).first() or 0
    if drifted:
        drifted = live_shown.drift_counts([environment.pk]).get(environment.pk, drifted)
    return drifted + live_rows.unsettled(live_rows.open_extras(environment)).count()
