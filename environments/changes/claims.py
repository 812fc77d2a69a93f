"""Who may touch what now: taking and giving back claims, and what stands in a change's way."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import kind_of
from environments.changes.line import Line, Waiting
from environments.changes.models import Change, Claim
from environments.models import Environment, Hold


class Busy(Exception):
    """Somebody else holds a subject, stands before us in its queue, or it is on hold."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(waiting.text)
        self.waiting = waiting


def in_front(change: Change, subjects: list[str]) -> list[Change]:
    """Approved changes that go first on one of these subjects: by priority, then by approval."""
    return Line.around(change).in_front(change, subjects)


def hold_on(change: Change) -> Hold | None:
    """The hold that stops this change from starting, if any."""
    return Line.around(change).hold_on(change)


def waiting_for(change: Change) -> Waiting | None:
    """What stands between an open change and its next phase; None when nothing does."""
    return Line.around(change).waiting_for(change)


def take(change: Change) -> None:
    """Claim everything the change touches, all or nothing, inside the caller's transaction. Raises Busy."""
    # A person who locks what it touches holds this row too: one of the two sees the other.
    Environment.objects.select_for_update(no_key=True).filter(pk=change.environment_id).first()
    waiting = waiting_for(change)
    if waiting:
        raise Busy(waiting)
    try:
        with transaction.atomic():
            for subject in kind_of(change).claims(change):
                Claim.objects.create(change=change, subject=subject)
    except IntegrityError as taken:
        raise Busy(waiting_for(change) or Waiting(_("Waits for another change."))) from taken


def release(change: Change) -> list[str]:
    """Give back what the change holds; returns the subjects that became free."""
    held = list(change.claims.active().values_list("subject", flat=True))
    change.claims.active().update(released_at=timezone.now())
    return held
