"""One leader among any number of schedulers: a row with an expiry, moved by compare-and-set."""

import json
import os
import secrets
from datetime import timedelta

from django.db.models import Q

from portal.core.clock import now
from portal.scheduler.models import Leader
from portal.terraform.identity import ProcessIdentity, alive, identify

# Short, because a leader that was killed leaves nobody to notice other deaths until it has run out.
LEASE = timedelta(seconds=6)
RENEW_SECONDS = 2.0


def new_owner() -> str:
    """A name for a scheduler in this process, by which others of this machine can tell whether it lives."""
    return json.dumps([secrets.token_hex(4), *identify(os.getpid()).as_dict().values()])


def lead(owner: str) -> bool:
    """Become or stay leader for another LEASE; False while somebody else leads.

    Another's lease counts no more once that process is proven dead, which only its own machine can tell.
    """
    moment = now()
    row, _made = Leader.objects.get_or_create(pk=1, defaults={"owner": "", "until": moment})
    free_or_mine = Leader.objects.filter(Q(owner=owner) | Q(until__lte=moment), pk=1)
    if _is_dead(row.owner):
        free_or_mine = Leader.objects.filter(pk=1, owner=row.owner)
    return free_or_mine.update(owner=owner, until=moment + LEASE) == 1


def _is_dead(owner: str) -> bool:
    try:
        _token, host, boot, pid, started = json.loads(owner)
    except ValueError:
        return False
    return alive(ProcessIdentity(host, boot, pid, started)) is False


def resign(owner: str) -> None:
    """Let another scheduler lead at once."""
    Leader.objects.filter(pk=1, owner=owner).update(owner="", until=now())
