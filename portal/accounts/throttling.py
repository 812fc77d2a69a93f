"""Slows guessing down: counts failures per subject and address in the database, so all web processes agree.

An attempt is counted before the password is looked at and given back when it was right, so that
many guesses at once cannot slip past the check together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal.accounts.models import AttemptWindow
from portal.core.clock import now
from portal.core.errors import GatehouseError

WINDOW: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Limit:
    """At most `failures` within WINDOW.

    Counted from the first one, so that up to twice as many fit around a window's end; `since_last`: from the
    last one, so that no stretch of WINDOW ever holds more.
    """

    kind: str
    failures: int
    since_last: bool = False


# Sign-in: for one name from one address, and for all names from one address (somebody trying a list).
SIGN_IN: Final = Limit("sign_in", 5, since_last=True)
SIGN_IN_ADDRESS: Final = Limit("address", 50)
# Unknown or expired tokens from one address: later ones are neither looked at twice nor written down.
TOKEN: Final = Limit("token", 20)


class TooManyAttemptsError(GatehouseError):
    """Too many failures from there; `wait` says for how many seconds nothing more is tried."""

    status = 429
    title = _("Too many attempts")
    default_code = "too-many-attempts"

    def __init__(self, wait: int) -> None:
        self.wait = wait
        minutes = -(-wait // 60)
        super().__init__(
            ngettext(
                "Too many wrong attempts came from here. Wait %(minutes)d minute, then try again.",
                "Too many wrong attempts came from here. Wait %(minutes)d minutes, then try again.",
                minutes,
            )
            % {"minutes": minutes}
        )


def attempt(limit: Limit, subject: str, address: str) -> int:
    """Counts one attempt. Returns 0 when it may go on, else the seconds to wait (nothing is counted then)."""
    key = {"kind": limit.kind, "subject": _subject(subject), "address": address}
    with transaction.atomic():
        at = now()
        row, created = AttemptWindow.objects.get_or_create(**key, defaults={"started_at": at})
        if created:
            _forget_old()
        mine = AttemptWindow.objects.filter(pk=row.pk)
        mine.filter(started_at__lte=at - WINDOW).update(count=0, started_at=at)
        later = {"started_at": at} if limit.since_last else {}
        if mine.filter(count__lt=limit.failures).update(count=F("count") + 1, **later):
            return 0
        row.refresh_from_db()
        return max(1, int((row.started_at + WINDOW - at).total_seconds()))


def give_back(limit: Limit, subject: str, address: str, *, whole: bool = False) -> None:
    """Takes back one counted attempt that was right after all; `whole` forgets the earlier failures too."""
    mine = AttemptWindow.objects.filter(kind=limit.kind, subject=_subject(subject), address=address)
    if whole:
        mine.delete()
    else:
        mine.filter(count__gt=0).update(count=F("count") - 1)


def _subject(text: str) -> str:
    return salted_hmac("portal.accounts.attempt", text.strip().lower(), algorithm="sha256").hexdigest()


def _forget_old() -> None:
    AttemptWindow.objects.filter(started_at__lt=now() - 4 * WINDOW).delete()
