"""What those who wait are told: for whom, in which place, how long it may take. For page, lists and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.estimates import Estimate, until_turn
from environments.changes.fairness import candidates, in_fair_order
from environments.changes.lifecycle import WORKING, Status
from environments.changes.line import Line, Waiting
from environments.changes.models import Change

# A worker that is free takes a change sooner than this.
NOTICED: Final = timedelta(seconds=5)
QUEUED: Final = frozenset({Status.REQUESTED, Status.APPROVED})


@dataclass(frozen=True)
class Told:
    """`Waiting` with an estimate: `seconds` None and `estimate` saying why where it is not known."""

    text: str
    change: Change | None
    place: int
    until: datetime | None
    estimate: str
    seconds: int | None


def told(change: Change) -> Told | None:
    """What this change waits for: a hold, its time, others that go first, or a free worker. None when for nothing."""
    if change.status not in QUEUED:
        return None
    waiting = Line.around(change).waiting_for(change)
    if waiting is None:
        return _for_a_worker(change)
    estimate = until_turn(waiting.before) if waiting.before else Estimate("")
    return _told(waiting, estimate)


def _told(waiting: Waiting, estimate: Estimate) -> Told:
    return Told(waiting.text, waiting.change, waiting.place, waiting.until, estimate.text, estimate.seconds)


def _for_a_worker(change: Change) -> Told | None:
    since = [change.created_at, change.approved_at, change.start_pressed_at, change.start_at]
    if change.due_at is None or max(at for at in since if at) + NOTICED > timezone.now():
        return None
    line = Line()
    ready = [
        other.pk for other in in_fair_order(candidates(str(change.uuid))) if line.waiting_for(other) is None
    ]
    if change.pk not in ready:
        return None
    busy = Change.objects.filter(status__in=WORKING, lease_until__isnull=False).count()
    text = _("Waits for a worker; none works on anything now.")
    if busy:
        text = ngettext(
            "Waits for a free worker; %(n)s other change is being worked on.",
            "Waits for a free worker; %(n)s other changes are being worked on.",
            busy,
        ) % {"n": busy}
    unknown = Estimate(_("How long is not known: it depends on what the workers do now."))
    return _told(Waiting(text, place=ready.index(change.pk) + 1), unknown)


def mark(changes: Iterable[Change]) -> None:
    """Write a few words into the `queue_note` of those that wait for others, in a fixed number of queries."""
    queued = {change.pk: change for change in changes if change.status in QUEUED}
    if not queued:
        return
    rows = list(Change.objects.filter(pk__in=queued).in_queue())
    line = Line({change.environment.tenant_id for change in rows})
    for change in rows:
        waiting = line.waiting_for(change)
        if waiting is not None:
            queued[change.pk].queue_note = _short(waiting)


def _short(waiting: Waiting) -> str:
    if waiting.place and waiting.change is not None:
        return _("place %(n)s, behind “%(title)s”") % {"n": waiting.place, "title": waiting.change.title}
    return waiting.text.partition(". ")[0].rstrip(".")
