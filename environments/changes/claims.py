"""Who may touch what now: claims, the queue for them, and what to tell those who wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import kind_of
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Hold


class Busy(Exception):
    """Somebody else holds a subject, or stands before us in its queue."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(waiting.text)
        self.waiting = waiting


@dataclass(frozen=True)
class Waiting:
    """For whom a change waits: in words, the change in front (None: a hold or a time), its place (1 = next)."""

    text: str
    change: Change | None = None
    place: int = 0
    until: datetime | None = None


def in_front(change: Change, subjects: list[str]) -> list[Change]:
    """Approved changes that go first on one of these subjects: by priority, then by approval."""
    waiting = (
        Change.objects.filter(environment__tenant=change.environment.tenant, status=Status.APPROVED)
        .filter(Q(start="on_approval") | Q(start_pressed_at__isnull=False) | Q(start_at__lte=timezone.now()))
        .exclude(pk=change.pk)
        .select_related("environment__tenant")
    )
    mine = (change.priority, change.approved_at or change.created_at, change.pk)
    return sorted(
        (
            other
            for other in waiting
            if (other.priority, other.approved_at or other.created_at, other.pk) < mine
            and set(kind_of(other).claims(other)) & set(subjects)
            and hold_on(other) is None
        ),
        key=lambda other: (other.priority, other.approved_at or other.created_at, other.pk),
    )


def hold_on(change: Change) -> Hold | None:
    """The hold that stops this change from starting, if any."""
    subjects = [""] + [claim.split(":", 1)[-1] for claim in kind_of(change).claims(change)]
    return change.environment.holds.active().filter(subject__in=subjects).first()


def waiting_for(change: Change) -> Waiting | None:
    """What stands between an open change and its next phase; None when nothing does."""
    if change.status == Status.REQUESTED:
        if not kind_of(change).takes_turn(change):
            return None
        return _holder(change)
    if change.status != Status.APPROVED:
        return None
    hold = hold_on(change)
    if hold:
        return Waiting(_("On hold: %(reason)s") % {"reason": hold.reason}, until=hold.until)
    if change.start == "manual" and change.start_pressed_at is None:
        return Waiting(_("Approved; waits for somebody to press Start."))
    if change.start == "at" and change.start_at and change.start_at > timezone.now():
        return Waiting(_("Approved; starts at its time."), until=change.start_at)
    return _holder(change)


def _holder(change: Change) -> Waiting | None:
    subjects = kind_of(change).claims(change)
    ahead = in_front(change, subjects) if change.status == Status.APPROVED else []
    holder = (
        Change.objects.rivals(subjects).exclude(pk=change.pk).select_related("environment__tenant").first()
    )
    front = holder or (ahead[0] if ahead else None)
    if front is None:
        return None
    place = len(ahead) + (1 if holder else 0)
    return Waiting(_("Waits for “%(title)s”.") % {"title": front.title}, front, place)


def take(change: Change) -> None:
    """Claim everything the change touches, all or nothing, inside the caller's transaction. Raises Busy."""
    waiting = _holder(change)
    if waiting:
        raise Busy(waiting)
    try:
        with transaction.atomic():
            for subject in kind_of(change).claims(change):
                Claim.objects.create(change=change, subject=subject)
    except IntegrityError as taken:
        raise Busy(_holder(change) or Waiting(_("Waits for another change."))) from taken


def release(change: Change) -> list[str]:
    """Give back what the change holds; returns the subjects that became free."""
    held = list(change.claims.active().values_list("subject", flat=True))
    change.claims.active().update(released_at=timezone.now())
    return held
