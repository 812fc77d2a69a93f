"""What the Drift tab shows: what Terraform does not see, the worst first, and the rows of the last drift plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.lifecycle import OPEN
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import refusal
from environments.runs import drift, drift_rows, live, live_actions, live_text
from environments.runs.drift_accept import CannotAccept, acceptance
from environments.runs.live_risk import CRITICAL
from environments.runs.models import DriftCheck, ExtraRemoval, LiveCheck, LiveExtra
from portal.core.errors import GatehouseError

# More than anybody reads on one page; the rest is counted, and the API has it.
MOST_SHOWN = 200


@dataclass(frozen=True)
class ShownExtra:
    """An extra in the reader's words; `removal` is the change under way for it."""

    row: LiveExtra
    removal: Change | None = None

    @property
    def title(self) -> str:
        return live_text.title(self.row)

    @property
    def why(self) -> str:
        return live_text.why(self.row)

    @property
    def level(self) -> str:
        return live_text.level(self.row)

    @property
    def level_word(self) -> str:
        return live_text.level_word(self.row)

    @property
    def unknown(self) -> str:
        return live_text.unknown_why(self.row)


def shown(rows: Iterable[LiveExtra]) -> list[ShownExtra]:
    """With the changes under way for them, in one query."""
    found = list(rows)
    open_ones = ExtraRemoval.objects.filter(extra__in=found, change__status__in=OPEN).select_related("change")
    changes = {one.extra_id: one.change for one in open_ones}
    return [ShownExtra(row, changes.get(row.pk)) for row in found]


def context(environment: Environment, roles: frozenset[str]) -> dict[str, Any]:
    """Both parts of the tab."""
    check, judged = drift_rows.of(environment)
    extras = live.open_extras(environment)
    alarming = live.unsettled(extras)
    return {
        "check": check if check.pk else None,
        "judged": judged,
        "hidden_rows": max(judged.count - len(judged.rows), 0),
        "applied": drift.last_applied(environment),
        "busy": drift.open_change(environment),
        "denied": refusal(roles, "drift.check"),
        "live_check": LiveCheck.objects.filter(environment=environment).first(),
        "looked_at": live_actions.can_look(environment),
        "extras": shown(alarming[:MOST_SHOWN]),
        "extra_count": alarming.count(),
        "critical": alarming.filter(risk__gte=CRITICAL).count(),
        "settled": shown(extras.exclude(pk__in=alarming.values("pk"))[:MOST_SHOWN]),
    }


def count(environment: Environment) -> int:
    """The tab's figure: what nobody has decided about."""
    check = DriftCheck.objects.filter(environment=environment).first()
    drifted = drift_rows.of(environment)[1].count if check and check.verdict == "drifted" else 0
    return drifted + live.unsettled(live.open_extras(environment)).count()


@dataclass(frozen=True)
class Choice:
    """One drifted attribute: the variable that accepting it would set, or why there is none."""

    path: str
    label: str
    reason: str = ""


def choices(environment: Environment, row: Mapping[str, Any]) -> list[Choice]:
    """What of a drift row can be accepted into the definition, and why the rest cannot."""
    found = []
    for one in row["attributes"]:
        path = str(one["path"])
        try:
            wanted = acceptance(environment, row, path)
        except CannotAccept as cannot:
            found.append(Choice(path, path, str(cannot)))
        except GatehouseError as failed:
            found.append(Choice(path, path, failed.message))
        else:
            label = _("%(path)s: %(variable)s from %(before)s to %(after)s") % {
                "path": path,
                "variable": wanted.name,
                "before": _value(wanted.before),
                "after": _value(wanted.after),
            }
            found.append(Choice(path, label))
    return found


def _value(value: Any) -> str:
    text = _("nothing") if value is None else str(value)
    return text if len(text) <= 80 else text[:80] + "…"
