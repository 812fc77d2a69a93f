"""Who holds what, who stands in line for it and what stops whom, read for many changes in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import kinds, reviews
from environments.changes.kinds import kind_of
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Hold, Role
from environments.permissions import VERBS


@dataclass(frozen=True)
class Waiting:
    """For whom a change waits: in words, the change in front (None: a hold or a time), its place (1 = next).

    `before` are all changes that go first, the one in front first.
    """

    text: str
    change: Change | None = None
    place: int = 0
    until: datetime | None = None
    before: tuple[Change, ...] = ()


def order(change: Change) -> tuple[int, datetime, int]:
    """The order in a subject's line: by priority, then by approval."""
    return (change.priority, change.approved_at or change.created_at, change.pk)


class Line:
    """What stands between the open changes of some tenants (None: of all) and their next phase, at one moment."""

    def __init__(self, tenants: Iterable[int] | None = None) -> None:
        self._tenants = None if tenants is None else set(tenants)
        self._subjects: dict[int, list[str]] = {}

    @classmethod
    def around(cls, change: Change) -> Line:
        return cls({change.environment.tenant_id})

    def subjects(self, change: Change) -> list[str]:
        """What this change would claim."""
        if change.pk not in self._subjects:
            self._subjects[change.pk] = kind_of(change).claims(change)
        return self._subjects[change.pk]

    @cached_property
    def _holders(self) -> dict[str, Change]:
        rows = Claim.objects.active().select_related("change__environment__tenant")
        return {claim.subject: claim.change for claim in rows}

    @cached_property
    def _holds(self) -> dict[int, list[Hold]]:
        rows = Hold.objects.active().select_related("placed_by").order_by("pk")
        if self._tenants is not None:
            rows = rows.filter(environment__tenant_id__in=self._tenants)
        found: dict[int, list[Hold]] = {}
        for hold in rows:
            found.setdefault(hold.environment_id, []).append(hold)
        return found

    @cached_property
    def _indebted(self) -> set[int]:
        """Environments with an overdue review of a start without votes."""
        rows = reviews.owed().filter(due_at__lt=timezone.now())
        return set(rows.values_list("change__environment_id", flat=True))

    @cached_property
    def _troubled(self) -> dict[str, frozenset[int]]:
        """By kind, environments where something has to be settled before its changes go on."""
        # An ended change gives its claims back after it has told what it left: so who holds is read first,
        # and whoever finds nobody holding finds what is to be settled.
        assert self._holders is not None
        return {name: kinds.named(name).troubled() for name in kinds.names()}

    @cached_property
    def _lines(self) -> dict[str, list[Change]]:
        """By subject, those who would start on it now, in order."""
        rows = Change.objects.filter(status=Status.APPROVED, kind__in=kinds.names()).startable(timezone.now())
        if self._tenants is not None:
            rows = rows.filter(environment__tenant_id__in=self._tenants)
        lines: dict[str, list[Change]] = {}
        for change in sorted(rows.in_queue(), key=order):
            if self._stopped(change) is None:
                for subject in self.subjects(change):
                    lines.setdefault(subject, []).append(change)
        return lines

    def hold_on(self, change: Change) -> Hold | None:
        """The hold that stops this change from starting, if any: on its environment or on a part it touches."""
        parts = {"", *(subject.split(":", 1)[-1] for subject in self.subjects(change))}
        return next(
            (hold for hold in self._holds.get(change.environment_id, []) if hold.subject in parts), None
        )

    def _stopped(self, change: Change) -> Waiting | None:
        """By what a change may not start that no other change's end would mend."""
        hold = self.hold_on(change)
        if hold:
            return Waiting(_hold_text(hold), until=hold.until)
        debt = reviews.stopping(change) if change.environment_id in self._indebted else None
        return Waiting(reviews.waits_text(debt), debt.change) if debt else self._obstacle(change)

    def _obstacle(self, change: Change) -> Waiting | None:
        """What people have to settle first, as the change's kind tells it."""
        if change.environment_id not in self._troubled.get(change.kind, ()):
            return None
        found = kind_of(change).obstacle(change)
        return Waiting(found.text, found.change) if found else None

    def in_front(self, change: Change, subjects: Iterable[str]) -> list[Change]:
        """Approved changes that go first on one of these subjects."""
        mine = order(change)
        found = {
            other.pk: other
            for subject in subjects
            for other in self._lines.get(subject, [])
            if other.pk != change.pk and order(other) < mine
        }
        return sorted(found.values(), key=order)

    def waiting_for(self, change: Change) -> Waiting | None:
        """What stands between an open change and its next phase; None when nothing does."""
        if change.status == Status.REQUESTED:
            behind = self.behind(change) if kind_of(change).takes_turn(change) else None
            return behind or self._obstacle(change)
        if change.status != Status.APPROVED:
            return None
        stopped = self._stopped(change)
        if stopped:
            return stopped
        if change.start == "manual" and change.start_pressed_at is None:
            return Waiting(_("Approved; waits for somebody to press Start."))
        if change.start == "at" and change.start_at and change.start_at > timezone.now():
            return Waiting(_("Approved; starts at its time."), until=change.start_at)
        return self.behind(change)

    def behind(self, change: Change) -> Waiting | None:
        """Who holds a subject of this change, or stands before it in a subject's line."""
        subjects = self.subjects(change)
        holding = {
            self._holders[subject].pk: self._holders[subject]
            for subject in subjects
            if subject in self._holders and self._holders[subject].pk != change.pk
        }
        ahead = self.in_front(change, subjects) if change.status == Status.APPROVED else []
        before = (*holding.values(), *(other for other in ahead if other.pk not in holding))
        if not before:
            return None
        text = _("Waits for “%(title)s”.") % {"title": before[0].title}
        return Waiting(text, before[0], len(before), before=before)


def _hold_text(hold: Hold) -> str:
    """Why nothing starts, and who may lift it."""
    names = ", ".join(str(Role(role).label).lower() for role in sorted(VERBS["environment.release"]))
    return _(
        "On hold: %(reason)s. It may be lifted by %(who)s, who placed it, and by these roles: %(roles)s."
    ) % {
        "reason": hold.reason.rstrip("."),
        "who": hold.placed_by,
        "roles": names,
    }
