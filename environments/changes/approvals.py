"""How long an approval lasts, and whether it lets a change start by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Change, Start, Vote

EXPIRED_NOTE: Final = _("Nobody acted on it in time; request it again if it is still wanted.")


def expiry(change: Change, since: datetime) -> datetime:
    """Until when what is proposed or approved at `since` may be used: a start at a time counts from that time."""
    first = max(since, change.start_at) if change.start == Start.AT and change.start_at else since
    return first + timedelta(hours=settings.APPROVAL_TTL_HOURS)


def approval_ends(change: Change, since: datetime) -> datetime:
    """As `expiry`, but a vote that was carried here from an earlier change grows no younger by that."""
    carried = Vote.objects.counting_for(change).filter(carried_from__isnull=False)
    oldest = carried.aggregate(at=Min("at"))["at"]
    ends = expiry(change, since)
    return min(ends, oldest + timedelta(hours=settings.APPROVAL_TTL_HOURS)) if oldest else ends


def starts_now(change: Change, now: datetime) -> bool:
    """Whether an approved change is for a worker at once: nobody has to press Start and its time has come."""
    if change.start == Start.AT:
        return change.start_at is not None and change.start_at <= now
    return change.start == Start.ON_APPROVAL or change.start_pressed_at is not None
