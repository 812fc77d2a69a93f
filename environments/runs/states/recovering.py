"""After the portal was restored: the newer state from the bucket's copies, instead of the backup's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from environments.accounts import access_to
from environments.acts import acting
from environments.models import Environment
from environments.permissions import require
from environments.runs.actions import target_of
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import doubts, store
from environments.runs.states.copies import folder_of
from portal.accounts.principals import Principal
from portal.aws.buckets import stored
from portal.aws.objects import read_object
from portal.core.errors import Conflict, InvalidInput

NAME = re.compile(r"(\d{6,})-(\d{8,})-([0-9a-f]{8})\.tfstate\Z")
SHOWN = 20


@dataclass(frozen=True)
class Copy:
    """A copy in the bucket, by what its name says; `newer` than what is kept here."""

    key: str
    number: int
    serial: int
    modified: datetime
    size: int
    newer: bool


def copies_of(environment: Environment) -> list[Copy]:
    """The latest copies of this environment's states, the newest first. Raises Conflict, AwsError."""
    account = environment.account
    if account is None or not account.state_bucket:
        raise Conflict(_("The environment's account has no bucket for copies of states."))
    kept = store.position(environment)["serial"]
    folder = folder_of(environment)
    found = []
    for one in stored(access_to(account, environment.region), account.state_bucket, folder):
        named = NAME.fullmatch(one.key.removeprefix(folder))
        if named:
            number, serial = int(named[1]), int(named[2])
            found.append(Copy(one.key, number, serial, one.modified, one.size, serial > kept))
        if len(found) == SHOWN:
            break
    return found


def recover(*, by: Principal, environment: Environment, key: str) -> StateVersion:
    """Make a copy from the bucket the newest state, and end the doubt. Only while the restore's lock stands.

    The copy must go on from what is kept: of the same lineage, with a higher serial.
    Raises NotAllowed, Conflict, InvalidInput, AwsError.
    """
    with acting(by, environment, action="state.recover", target=target_of(environment)):
        require(by, environment, "state.unlock")
        _doubted(environment)
    # No network within a transaction: what is true of the lock is asked again below.
    body = _content(environment, key)
    with acting(by, environment, action="state.recover", target=target_of(environment)):
        require(by, environment, "state.unlock")
        with transaction.atomic():
            lock = _doubted(environment)
            writer = store.Writer(_("%(who)s, from a copy") % {"who": by.name})
            version = store.write(environment, body, lock_id=lock.lock_id, writer=writer, by=by)
            store.record(environment, by, "state.recover", version=version.number, source=key)
            store.force_unlock(environment, by=by, reason=_("Recovered from %(key)s.") % {"key": key})
    return version


def _doubted(environment: Environment) -> StateLock:
    lock = StateLock.objects.filter(environment=environment).first()
    if lock is None or not doubts.doubted(lock):
        raise Conflict(
            _("This is for the time after the portal was restored; nothing is in doubt here."),
            hint=_("Import a state instead: that is a change which passes the gates."),
        )
    return lock


def _content(environment: Environment, key: str) -> bytes:
    account = environment.account
    if account is None or not account.state_bucket:
        raise Conflict(_("The environment's account has no bucket for copies of states."))
    folder = folder_of(environment)
    if not key.startswith(folder) or not NAME.fullmatch(key.removeprefix(folder)):
        raise InvalidInput({"key": [_("This is no copy of a state of this environment.")]})
    access = access_to(account, environment.region)
    return read_object(access, account.state_bucket, key, most=settings.STATE_MAX_BYTES)
