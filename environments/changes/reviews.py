"""The review that a break-glass start owes: until when, to whom it is shown, what it stops when overdue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.models import Change, Review
from environments.models import Environment, Membership
from environments.permissions import VERBS
from environments.registry import ATTENTION, FAILING, Need
from portal.accounts.models import User

WORKING_DAYS: Final = 2
SATURDAY: Final = 5
# More than anybody reads in one sitting.
MOST: Final = 200


def due_after(start: datetime, *, zone: str = "") -> datetime:
    """Two working days after `start` (aware), in the portal's zone: Monday to Friday.

    What begins on a weekend counts from Monday 00:00. Public holidays count as working days: the
    portal keeps no calendar of them.
    """
    local = start.astimezone(ZoneInfo(zone or settings.DEFAULT_DISPLAY_TIME_ZONE))
    while local.weekday() >= SATURDAY:
        local = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    left = WORKING_DAYS
    while left:
        local += timedelta(days=1)
        left -= local.weekday() < SATURDAY
    return local.astimezone(start.tzinfo)


def owe(change: Change) -> Review:
    """Write the debt of a change that starts without votes, inside the transaction of its start."""
    since = timezone.now()
    return Review.objects.create(change=change, owed_since=since, due_at=due_after(since))


def owed() -> QuerySet[Review]:
    """Reviews that nobody made yet, the most urgent first."""
    rows = Review.objects.filter(reviewed_at=None).order_by("due_at")
    return rows.select_related("change__environment__tenant", "change__break_glass_by")


def stopping(change: Change) -> Review | None:
    """The overdue review that this change's start waits for. Rollbacks and emergencies wait for none."""
    if change.priority < 0 or change.break_glass:
        return None
    return owed().filter(change__environment=change.environment_id, due_at__lt=timezone.now()).first()


def waits_text(review: Review) -> str:
    """What a change that waits for a review says."""
    return _(
        "Waits for the review of “%(title)s”, which was started without approval: "
        "it is overdue. It goes on as soon as somebody has reviewed it."
    ) % {"title": review.change.title}


def owed_by(user: User) -> QuerySet[Review]:
    """Reviews that this person may make now, as `can_review` says of each."""
    rows = owed().exclude(change__break_glass_by=user).exclude(change__requested_by=user)
    if not user.is_portal_admin:
        held = Membership.objects.filter(user=user, role__in=VERBS["change.review"])
        rows = rows.filter(change__environment__tenant_id__in=held.values("tenant_id"))
    return rows


def count(user: User) -> int:
    return owed_by(user).count()


def needs(user: User) -> Iterator[Need]:
    """The debt in the inbox of those who can settle it."""
    now = timezone.now()
    for review in owed_by(user)[:MOST]:
        late = review.due_at < now
        change = review.change
        who = {"who": str(change.break_glass_by), "reason": change.break_glass_reason}
        text = (
            _("Overdue review: %(who)s started it without approval: %(reason)s")
            if late
            else (_("Review owed: %(who)s started it without approval: %(reason)s"))
        )
        yield Need(
            title=change.title,
            detail=text % who,
            link=reverse("changes:detail", args=[change.uuid]),
            state=FAILING if late else ATTENTION,
            at=review.due_at if late else review.owed_since,
            verb=_("Review"),
        )


def card(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/changes/_debts.html: what this environment owes."""
    return {"debts": debts(environment), "now": timezone.now()}


def debts(environment: Environment) -> list[Review]:
    return list(owed().filter(change__environment=environment))


def by_environment(ids: Sequence[int]) -> dict[int, Review]:
    """The most urgent review owed in each of these environments, in one query."""
    rows = owed().filter(change__environment_id__in=ids).order_by("-due_at")
    return {review.change.environment_id: review for review in rows}
