"""Locks that no run holds: by a person's hand, with a reason; and what is known about whoever holds one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.dispatch import dispatch_waiting
from environments.changes.kinds import Obstacle
from environments.changes.lifecycle import FINAL, Status
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import StateLock
from environments.runs.states.store import Locked, record, refuse_while_executing, tidy, tool_alive
from portal.accounts.principals import Principal
from portal.core.errors import Conflict


@dataclass(frozen=True)
class Proof:
    """What is known about the process behind a lock: `alive` is None when it cannot be told from here."""

    alive: bool | None
    host: str = ""
    boot_id: str = ""
    pid: int = 0
    started: str = ""


def proof_of(lock: StateLock) -> Proof | None:
    """The Terraform behind a run's lock, as its worker wrote it down; None for locks no run holds."""
    if lock.change is None:
        return None
    alive = tool_alive(lock.change)
    raw = lock.change.tool_process
    if "pid" not in raw:
        return Proof(alive)
    return Proof(alive, str(raw["host"]), str(raw["boot_id"]), int(raw["pid"]), str(raw["started"]))


def lock_by_hand(environment: Environment, *, by: Principal, reason: str) -> StateLock:
    """Lock the state in the person's name. Raises Locked, Conflict."""
    at = timezone.now()
    name = str(by.user)
    with transaction.atomic():
        refuse_while_executing(environment)
        held = StateLock.objects.filter(environment=environment).first()
        if held is not None:
            raise Locked(held)
        info = {
            # Terraform shows its user nothing but the ID of the lock that stands in the way.
            "ID": tidy(_("by hand, by %(name)s: %(reason)s") % {"name": name, "reason": reason}),
            "Operation": _("Locked by hand"),
            "Info": tidy(reason),
            "Who": name,
            "Version": "",
            "Created": at.isoformat(),
            "Path": environment.key,
        }
        try:
            with transaction.atomic():
                made = StateLock.objects.create(
                    environment=environment,
                    lock_id=f"by-hand-{uuid.uuid4()}",
                    info=info,
                    holder=name[:150],
                    held_by=by.user,
                    reason=reason,
                    created_at=at,
                )
        except IntegrityError as taken:
            raise Conflict(_("The state was locked by somebody else a moment ago.")) from taken
        record(environment, by, "state.lock", lock=made.lock_id, reason=reason)
    return made


def unlock_own(environment: Environment, *, by: Principal) -> None:
    """Take away the lock that this person set by hand. Raises Conflict, Locked."""
    with transaction.atomic():
        held = StateLock.objects.select_for_update().filter(environment=environment).first()
        if held is None:
            raise Conflict(_("The state is not locked."))
        if held.held_by_id is None or by.user is None or held.held_by_id != by.user.pk:
            raise Locked(held)
        held.delete()
        record(environment, by, "state.unlock", lock=held.lock_id)
        dispatch_waiting(environment)


def locked() -> frozenset[int]:
    """Environments (primary keys) whose state is locked by what no claim tells of."""
    return frozenset(_unclaimed().values_list("environment_id", flat=True))


def obstacle(change: Change) -> Obstacle | None:
    """What lock an approved change waits for instead of failing on it. Planning reads past every lock."""
    if change.status != Status.APPROVED:
        return None
    lock = _unclaimed().filter(environment=change.environment).select_related("change").first()
    return Obstacle(_why(lock), lock.change) if lock else None


def _unclaimed() -> QuerySet[StateLock]:
    """Locks by hand, by a command line, or left by a run that ended: an open run's own is its claim's matter."""
    return StateLock.objects.filter(Q(change=None) | Q(change__status__in=FINAL))


def _why(lock: StateLock) -> str:
    said = {"who": lock.holder, "reason": lock.reason.rstrip(".")}
    if lock.held_by_id is not None:
        text = _("The state is locked by %(who)s: %(reason)s. It goes on when they or an admin unlock it.")
    elif lock.token_id is not None:
        text = _("The state is locked by the terraform command line of %(who)s.")
    elif lock.reason:
        text = _("The state is locked: %(reason)s.")
    else:
        text = _(
            "The state is still locked by “%(who)s”, which has ended. An admin can release it under State versions."
        )
    return text % said
