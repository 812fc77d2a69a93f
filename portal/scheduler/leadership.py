"""One leader among any number of schedulers: a row with an expiry, moved by compare-and-set."""

from datetime import timedelta

from django.db.models import Q

from portal.core.clock import now
from portal.scheduler.models import Leader

# Short, because a leader that was killed leaves nobody to notice other deaths until it has run out.
LEASE = timedelta(seconds=6)
RENEW_SECONDS = 2.0


def lead(owner: str) -> bool:
    """Become or stay leader for another LEASE; False while somebody else leads."""
    moment = now()
    Leader.objects.get_or_create(pk=1, defaults={"owner": "", "until": moment})
    free_or_mine = Leader.objects.filter(Q(owner=owner) | Q(until__lte=moment), pk=1)
    return free_or_mine.update(owner=owner, until=moment + LEASE) == 1


def resign(owner: str) -> None:
    """Let another scheduler lead at once."""
    Leader.objects.filter(pk=1, owner=owner).update(owner="", until=now())
