"""After a restore: what was open then does not go on by itself, and nobody trusts the states unseen.

What happened between the backup and now is not known here. An approved change may have been applied, a state
written, a token revoked. So nothing starts, nobody is signed in, and every state waits for a person's word.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from environments.changes import claims
from environments.changes.kinds import kind_of
from environments.changes.leases import RELEASED
from environments.changes.lifecycle import ErrorKind, Status
from environments.changes.models import Change
from environments.changes.transitions import move
from environments.runs.models import RunCredential
from environments.runs.states import doubts
from portal import audit
from portal.accounts.models import ApiToken
from portal.accounts.principals import Principal
from portal.audit.checkpoints import known_chains, last_checkpoint
from portal.audit.gaps import accept_gap
from portal.audit.models import AuditEvent, ChainHead
from portal.backup.manifest import Manifest
from portal.notifications.models import Message
from portal.scheduler.models import Heartbeat, Leader

MAY_HAVE_ALTERED = frozenset({Status.EXECUTING, Status.VERIFYING})


@dataclass
class Aftermath:
    """What the restore did to what was open; counts, and keys of environments whose state is in doubt."""

    interrupted: int = 0
    cancelled: int = 0
    tokens: int = 0
    messages: int = 0
    doubted: list[str] = field(default_factory=list)
    gaps: list[AuditEvent] = field(default_factory=list)


def settle(found: Manifest, *, reason: str) -> Aftermath:
    """Settle everything that was open at the time of the backup, in one transaction."""
    done = Aftermath()
    person = f"{getpass.getuser()} at the command line"
    by = Principal(None, "system", name=person)
    actor = audit.Actor(id="", name=person, kind="system")
    with transaction.atomic():
        done.gaps = _name_the_gaps(actor, found, reason)
        _end_sign_ins(done)
        for change in Change.objects.open().for_lists().order_by("pk"):
            _stop(change, by, found, done)
        done.doubted = doubts.raise_all(as_of=found.created_at, by=by)
        _record(actor, found, reason, done)
    return done


def _name_the_gaps(actor: audit.Actor, found: Manifest, reason: str) -> list[AuditEvent]:
    """A record in every chain of which more was signed than is here."""
    sentence = f"Restored from the backup of {found.created_at}. {reason}".strip()
    kept = dict(ChainHead.objects.values_list("chain", "sequence"))
    named = []
    for chain in sorted({*kept, *known_chains()}):
        last = last_checkpoint(chain)
        if last is not None and last.sequence > kept.get(chain, 0):
            named.append(accept_gap(chain, actor=actor, reason=sentence))
    return named


def _end_sign_ins(done: Aftermath) -> None:
    """What was revoked after the backup must not open anything again: all of it ends."""
    now = timezone.now()
    Session.objects.all().delete()
    done.tokens = ApiToken.objects.filter(revoked_at=None).update(revoked_at=now)
    RunCredential.objects.filter(revoked_at=None).update(revoked_at=now)
    # They were sent then, or tell of what is no longer so.
    done.messages = Message.objects.waiting().update(
        gave_up_at=now, error="The portal was restored from a backup; this message was not sent again."
    )
    Heartbeat.objects.all().delete()
    Leader.objects.all().delete()


def _stop(change: Change, by: Principal, found: Manifest, done: Aftermath) -> None:
    """End one open change: interrupted when it may have altered something, else cancelled."""
    at = {"finished_at": timezone.now(), **RELEASED}
    if change.status in MAY_HAVE_ALTERED:
        message = (
            f"The portal was restored from the backup of {found.created_at}, made while this was running. "
            f"What it did after that is not known here. {kind_of(change).after_death(change)}"
        ).strip()
        hint = "Look at the state and at what is there, then plan again. It is not run again by itself."
        words: dict[str, Any] = {"error_kind": ErrorKind.PORTAL, "error_message": message, "error_hint": hint}
        move(change, Status.INTERRUPTED, by=by, note=message, due_at=None, **words, **at)
        done.interrupted += 1
    else:
        note = (
            f"The portal was restored from the backup of {found.created_at}. Whether this went on after it is "
            "not known here; request it again if it is still wanted."
        )
        move(change, Status.CANCELLED, by=by, note=note, due_at=None, **at)
        done.cancelled += 1
    # A worker that still knows the old fence writes nothing.
    Change.objects.filter(pk=change.pk).update(fence=change.fence + 1)
    if kind_of(change).still_running(change) is not True:
        claims.release(change)


def _record(actor: audit.Actor, found: Manifest, reason: str, done: Aftermath) -> None:
    audit.record(
        actor=actor,
        action="portal.restore",
        target=audit.Target("portal", "portal", "Gatehouse"),
        after={
            "backup_of": found.created_at,
            "backup_version": found.version,
            "backup_heads": {chain: head["sequence"] for chain, head in found.audit.items()},
            "interrupted": done.interrupted,
            "cancelled": done.cancelled,
            "tokens_revoked": done.tokens,
            "states_in_doubt": done.doubted,
        },
        detail=reason,
    )
