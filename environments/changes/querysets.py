"""Reads of changes, votes and claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from environments.changes.kinds import related
from environments.changes.lifecycle import FINAL, RESTING, Status

if TYPE_CHECKING:
    from datetime import datetime

    from environments.changes.models import Change, Claim, Vote  # noqa: F401 - named by strings in base classes
    from portal.accounts.models import User


class ChangeQuerySet(QuerySet["Change"]):
    def visible_to(self, user: User) -> ChangeQuerySet:
        if user.is_portal_admin:
            return self
        return self.filter(environment__tenant_id__in=user.memberships.values("tenant_id"))

    def open(self) -> ChangeQuerySet:
        return self.exclude(status__in=FINAL)

    def for_lists(self) -> ChangeQuerySet:
        """With what a row of a list shows, in one query."""
        return self.select_related("environment__tenant", "environment__account", "requested_by", "proposal")

    def due(self, at: datetime) -> ChangeQuerySet:
        """Waiting for a worker, nobody has it, and its time has come."""
        idle = Q(status__in=[Status.REQUESTED, Status.APPROVED]) | Q(status__in=RESTING, lease_until=None)
        return self.filter(idle, due_at__lte=at).order_by("priority", "due_at")

    def startable(self, at: datetime) -> ChangeQuerySet:
        """Of approved changes those that want to start: at once, pressed, or at a time that has come."""
        return self.filter(
            Q(start="on_approval") | Q(start_pressed_at__isnull=False) | Q(start="at", start_at__lte=at)
        )

    def idle(self, at: datetime) -> ChangeQuerySet:
        """What a worker could take now, if nothing that it touches is in use."""
        wants = self.filter(status=Status.APPROVED).startable(at)
        rested = Q(look_at=None) | Q(look_at__lte=at)
        free = self.filter(Q(status=Status.REQUESTED) | (Q(status__in=RESTING, lease_until=None) & rested))
        return (wants | free).exclude(due_at=None)

    def in_queue(self) -> ChangeQuerySet:
        """With what the queue asks of a change, so that many cost no more queries than one."""
        return self.select_related("environment__tenant", *related())

    def abandoned(self, at: datetime) -> ChangeQuerySet:
        """Worked on by somebody whose lease ran out."""
        return self.filter(
            status__in=[Status.PROPOSING, Status.EXECUTING, Status.VERIFYING], lease_until__lt=at
        )

    def rivals(self, subjects: list[str]) -> ChangeQuerySet:
        """Open changes that hold one of these subjects now."""
        return self.filter(claims__subject__in=subjects, claims__released_at=None).distinct()


class VoteQuerySet(QuerySet["Vote"]):
    def standing(self) -> VoteQuerySet:
        return self.filter(withdrawn_at=None)

    def counting_for(self, change: Change) -> VoteQuerySet:
        """Standing votes on any proposal of this change that says the same as the current one."""
        if change.proposal is None:
            return self.none()
        return self.standing().filter(proposal__change=change, proposal__digest=change.proposal.digest)


class ClaimQuerySet(QuerySet["Claim"]):
    def active(self) -> ClaimQuerySet:
        return self.filter(released_at=None)

    def on(self, subjects: list[str]) -> ClaimQuerySet:
        return self.active().filter(Q(subject__in=subjects))
