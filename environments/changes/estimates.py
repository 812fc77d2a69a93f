"""How long a wait is likely to be: from how long the like has held its claims here of late. Unknown stays unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change, Transition

# So many of the newest executions say what is usual.
SAMPLE: Final = 9
Group = tuple[int, str]


@dataclass(frozen=True)
class Estimate:
    """Seconds until one's turn, or None with the reason; `text` says either."""

    text: str
    seconds: int | None = None


def _group(change: Change) -> Group:
    return change.environment_id, change.kind


def usual(groups: Iterable[Group]) -> dict[Group, float]:
    """Median seconds from start to the end of the execute phase, by (environment, kind); absent when none ended."""
    return {group: median(found) for group in set(groups) if (found := _durations(group))}


def _durations(group: Group) -> list[float]:
    """Of the newest executions that came through: one that failed after a second tells nothing of the next."""
    environment, kind = group
    newest = Change.objects.filter(environment=environment, kind=kind, started_at__isnull=False)
    ids = list(
        newest.exclude(status=Status.EXECUTING)
        .order_by("-created_at", "-pk")
        .values_list("pk", flat=True)[: 3 * SAMPLE]
    )
    moves = Transition.objects.filter(change_id__in=ids, to_status__in=[Status.EXECUTING, Status.VERIFYING])
    begun: dict[int, datetime] = {}
    ended: dict[int, datetime] = {}
    for change, status, at in moves.order_by("pk").values_list("change_id", "to_status", "at"):
        (begun if status == Status.EXECUTING else ended)[change] = at
    spans = [(ended[pk] - begun[pk]).total_seconds() for pk in ids if pk in ended and pk in begun]
    return spans[:SAMPLE]


def until_turn(before: tuple[Change, ...]) -> Estimate:
    """When those who go first have ended: what the running one has left, and the usual time of each between."""
    known = usual(_group(change) for change in before)
    if any(_group(change) not in known for change in before):
        return Estimate(_("How long is not known: nothing like it has come through here yet."))
    total, now = 0.0, timezone.now()
    for change in before:
        span = known[_group(change)]
        if change.status == Status.EXECUTING and change.started_at:
            span -= (now - change.started_at).total_seconds()
            if span <= 0:
                usually = words(known[_group(change)])
                text = _("How long is not known: it usually takes %(usually)s and has taken longer already.")
                return Estimate(text % {"usually": usually})
        total += span
    return Estimate(_("Its turn probably comes in %(span)s.") % {"span": words(total)}, round(total))


def words(seconds: float) -> str:
    """A span as people say it; an estimate has no seconds."""
    if seconds < 60:
        return _("less than a minute")
    if seconds < 90 * 60:
        return _("about %(n)s min") % {"n": round(seconds / 60)}
    return _("about %(n)s h") % {"n": round(seconds / 3600)}
