"""Which change a free worker takes next: decided in the database, because messages carry only ids, first in, first out.

A message says “there is work”; whoever gets it takes the fairest change that may go on now, not
necessarily the one it names. There is a message for each change, so each gets its visit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from environments.changes import kinds
from environments.changes.lifecycle import WORKING, Status
from environments.changes.line import Line
from environments.changes.models import Change, Transition

# Candidates of one environment and kind: behind so many, a change is found by its own message.
FIRST: Final = 20
# Moves looked back at to tell which tenant was served longest ago.
REMEMBERED: Final = 200


def fairest(*, named: str = "", besides: Iterable[int] = ()) -> Change | None:
    """The change whose turn it is among all that may go on now."""
    skipped, line = set(besides), Line()
    for change in in_fair_order(candidates(named)):
        if change.pk not in skipped and line.waiting_for(change) is None:
            return change
    return None


def candidates(named: str = "") -> list[Change]:
    """Changes that nobody works on and whose time has come, the first few of each environment and kind."""
    idle = Change.objects.filter(kind__in=_served_with(named)).idle(timezone.now())
    place = Window(
        RowNumber(), partition_by=[F("environment"), F("kind")], order_by=[F("priority").asc(), F("pk").asc()]
    )
    first = list(idle.annotate(nth=place).filter(nth__lte=FIRST).in_queue())
    if named and all(str(change.uuid) != named for change in first):
        first += idle.filter(uuid=named).in_queue()
    return first


def _served_with(named: str) -> list[str]:
    """The kinds of the queue that this message came by: its workers take no other's."""
    kind = Change.objects.filter(uuid=named).values_list("kind", flat=True).first() if named else None
    return kinds.names(kinds.named(kind).queue if kind in kinds.names() else "")


def in_fair_order(changes: Iterable[Change]) -> list[Change]:
    """Rollbacks first; then the tenant with the fewest changes in hand, then the one served longest ago; the oldest first."""
    busy, served = _in_hand(), _served()

    def key(change: Change) -> tuple[bool, int, int, int, int]:
        tenant = change.environment.tenant_id
        return change.priority >= 0, busy[tenant], served.get(tenant, 0), change.priority, change.pk

    return sorted(changes, key=key)


def _in_hand() -> Counter[int]:
    """How many changes of each tenant have a worker now."""
    rows = Change.objects.filter(status__in=WORKING, lease_until__isnull=False).order_by()
    counted = rows.values("environment__tenant_id").annotate(n=Count("pk"))
    return Counter({row["environment__tenant_id"]: row["n"] for row in counted})


def _served() -> dict[int, int]:
    """The newest move to a worker by tenant, as a number that grows."""
    newest = Transition.objects.order_by("-pk").values_list(
        "pk", "change__environment__tenant_id", "to_status"
    )
    taken = (Status.PROPOSING, Status.EXECUTING)
    found: dict[int, int] = {}
    for pk, tenant, status in newest[:REMEMBERED]:
        if status in taken:
            found.setdefault(tenant, pk)
    return found
