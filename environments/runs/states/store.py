"""The state of an environment: reading, writing under the lock, locking, unlocking. All in short transactions."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.dispatch import dispatch_waiting
from environments.changes.models import Change, Claim
from environments.models import Environment
from environments.permissions import actor
from environments.runs import credentials
from environments.runs.models import RunCredential, StateLock, StateVersion
from environments.runs.states import copies
from portal import audit
from portal.accounts.models import ApiToken
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput
from portal.terraform.errors import StateUnreadable
from portal.terraform.identity import ProcessIdentity, alive, at_work_in
from portal.terraform.state import read_state

logger = logging.getLogger(__name__)


# What a lock's document may hold, and how long a lock's id may be.
LOCK_WORDS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
LONGEST_ID = 64


class Locked(Conflict):
    """Somebody holds the lock; `info` is what Terraform shows its user."""

    def __init__(self, lock: StateLock) -> None:
        said = {"holder": lock.holder, "reason": lock.reason}
        by_hand = _("The state is locked by %(holder)s: %(reason)s") % said
        super().__init__(by_hand if lock.reason else _("The state is locked by %(holder)s.") % said)
        self.info = lock.info


@dataclass(frozen=True)
class Writer:
    """Who writes: a run (with its fence), or a person with a short-lived token."""

    name: str
    change: Change | None = None
    fence: int = 0
    token: ApiToken | None = None

    @classmethod
    def of(cls, credential: RunCredential) -> Writer:
        return cls(credential.change.title, credential.change, credential.fence)

    def took(self, lock: StateLock) -> bool:
        """Whether this very run, or this very token, took the lock: knowing its id is not enough."""
        return (
            lock.held_by_id is None
            and lock.change_id == (self.change.pk if self.change else None)
            and lock.token_id == (self.token.pk if self.token else None)
        )


def current(environment: Environment) -> StateVersion | None:
    return StateVersion.objects.filter(environment=environment).newest()


def position(environment: Environment) -> dict[str, Any]:
    """Which state is the newest, as a proposal's base keeps it; empty before the first.

    The MD5 tells apart two writes under one serial: Terraform itself would not.
    """
    newest = StateVersion.objects.light().filter(environment=environment).newest()
    if newest is None:
        return {"lineage": "", "serial": 0, "md5": ""}
    return {"lineage": newest.lineage, "serial": newest.serial, "md5": newest.md5}


def record(environment: Environment, by: Principal, action: str, **after: Any) -> None:
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=audit.Target("state", environment.key, str(environment)),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after=after or None,
    )


def record_refusal(environment: Environment, by: Principal, action: str, reason: str) -> None:
    """What a command line was not let do."""
    audit.record_refusal(
        actor=actor(by, environment),
        action=action,
        target=audit.Target("state", environment.key, str(environment)),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        reason=reason,
    )


def read(environment: Environment, *, by: Principal) -> bytes | None:
    """The newest state's document; None before the first. Reads of state are in the audit log."""
    with transaction.atomic():
        version = current(environment)
        record(environment, by, "state.read", version=version.number if version else None)
    return version.content if version else None


def write(
    environment: Environment,
    body: bytes,
    *,
    lock_id: str,
    writer: Writer,
    by: Principal,
    other_lineage: bool = False,
) -> StateVersion:
    """Store the next version, if the writer holds the lock. Raises Conflict, Locked, InvalidInput.

    The same content sent again, because its answer got lost, is answered with the version it became.
    `other_lineage`: a gated import that was confirmed for it; nothing else may change the lineage.

    A run's write counts only under the lock that its own fence took: a worker given up for dead and
    replaced cannot overwrite its successor. A lost lease does not matter here; that is what saves
    Terraform's last word.
    """
    try:
        state = read_state(body)
    except StateUnreadable as unreadable:
        raise InvalidInput({"body": [str(unreadable)]}) from unreadable
    with transaction.atomic():
        lock = StateLock.objects.select_for_update().filter(environment=environment).first()
        if lock is None or lock.lock_id != lock_id:
            raise Conflict(_("Write refused: this lock is not held.")) if lock is None else Locked(lock)
        if not writer.took(lock) or lock.fence != writer.fence:
            raise Locked(lock)
        newest = current(environment)
        if newest and newest.lineage != state.lineage and not other_lineage:
            raise Conflict(
                _("Write refused: this state has another lineage than the one kept here."),
                hint=_("It describes other infrastructure. Import it if that is meant."),
            )
        if newest and state.serial < newest.serial:
            raise Conflict(
                _("Write refused: serial %(serial)s is older than what is kept.") % {"serial": state.serial}
            )
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        if newest and state.serial == newest.serial:
            if md5 == newest.md5 and len(body) == newest.size:
                return newest
            raise Conflict(
                _("Write refused: serial %(serial)s is kept already, with another content.")
                % {"serial": state.serial}
            )
        version = StateVersion.objects.create(
            environment=environment,
            number=newest.number + 1 if newest else 1,
            lineage=state.lineage,
            serial=state.serial,
            terraform_version=state.terraform_version,
            resource_count=state.resource_count,
            size=len(body),
            md5=md5,
            content=body,
            change=writer.change,
            written_by=writer.name[:150],
            inventory_due_at=timezone.now() if writer.change is None else None,
        )
        copies.note(version)
        record(environment, by, "state.write", version=version.number, serial=version.serial)
    return version


def lock(environment: Environment, info: Mapping[str, Any], *, writer: Writer, by: Principal) -> StateLock:
    """Take the lock, or raise Locked with the present holder's info."""
    lock_id = str(info.get("ID", ""))
    if not lock_id or lock_id != tidy(lock_id, LONGEST_ID):
        raise InvalidInput({"ID": [_("A lock needs an ID of at most %(n)s characters.") % {"n": LONGEST_ID}]})
    shown = {word: tidy(info[word]) for word in LOCK_WORDS if word in info}
    shown["Who"] = f"{writer.name} ({shown.get('Who', '?')})"
    with transaction.atomic():
        if writer.change is None:
            refuse_while_executing(environment)
        made, created = StateLock.objects.select_for_update().get_or_create(
            environment=environment,
            defaults={
                "lock_id": lock_id,
                "info": shown,
                "change": writer.change,
                "fence": writer.fence,
                "token": writer.token,
                "holder": writer.name[:150],
            },
        )
        if not created and (made.lock_id != lock_id or not writer.took(made)):
            raise Locked(made)
        if created:
            record(environment, by, "state.lock", lock=lock_id)
    return made


def tidy(value: Any, longest: int = 500) -> str:
    """A foreign text as a column can keep it: of bounded length, without NUL and halves of characters."""
    text = str(value)[:longest].replace("\x00", "")
    return text.encode("utf-8", "replace").decode()


def refuse_while_executing(environment: Environment) -> None:
    """No person's lock while a change is about to work on this state. Inside the caller's transaction.

    The environment's row is held, as it is while a change takes its claims: one of the two sees the other.
    """
    Environment.objects.select_for_update(no_key=True).filter(pk=environment.pk).first()
    busy = Claim.objects.active().filter(subject=subject_of(environment)).select_related("change").first()
    if busy is not None:
        raise Conflict(
            _("“%(title)s” is working on this state.") % {"title": busy.change.title},
            hint=_("Wait until it has ended, or cancel it."),
        )


def subject_of(environment: Environment) -> str:
    """What a change claims before it works on this state."""
    return f"state:{environment.key}"


def unlock(environment: Environment, *, lock_id: str, writer: Writer, by: Principal) -> None:
    """Give the lock back; a run's credentials end with it. An empty `lock_id` is `force-unlock`'s: refused here."""
    with transaction.atomic():
        held = StateLock.objects.select_for_update().filter(environment=environment).first()
        if held is None:
            return
        if held.lock_id != lock_id or not writer.took(held):
            raise Locked(held)
        held.delete()
        record(environment, by, "state.unlock", lock=lock_id)
        if writer.change is None:
            dispatch_waiting(environment)
        if writer.change is not None and writer.change.is_final:
            credentials.revoke(writer.change, fence=writer.fence)


def unlock_dead(environment: Environment, *, by: Principal) -> bool:
    """Release the lock of a run whose Terraform is proven dead; False when there is none, or no proof."""
    with transaction.atomic():
        held = StateLock.objects.select_for_update().filter(environment=environment).first()
        if held is None or held.change is None or tool_alive(held.change) is not False:
            return False
        if held.change.is_open:
            return False
        held.delete()
        credentials.revoke(held.change, fence=held.fence)
        record(environment, by, "state.unlock", lock=held.lock_id, proof="process is dead")
        dispatch_waiting(environment)
    return True


def force_unlock(environment: Environment, *, by: Principal, reason: str) -> None:
    """An admin's word that the holder is gone. The caller has checked the right and asked for the reason."""
    with transaction.atomic():
        held = StateLock.objects.select_for_update().filter(environment=environment).first()
        if held is None:
            raise Conflict(_("The state is not locked."))
        if held.change is not None and tool_alive(held.change) is True:
            raise Conflict(
                _("Terraform is still running and holds this lock."),
                hint=_("Cancel the change; Terraform gives the lock back when it has saved its state."),
            )
        held.delete()
        if held.change is not None:
            credentials.revoke(held.change, fence=held.fence)
        record(environment, by, "state.force_unlock", lock=held.lock_id, reason=reason, at=timezone.now())
        dispatch_waiting(environment)


def tool_alive(change: Change) -> bool | None:
    """Whether the change's Terraform still runs: False on proof, None when it cannot be told from here."""
    change.refresh_from_db(fields=["tool_process", "status", "lease_owner"])
    raw = dict(change.tool_process)
    folder = raw.pop("folder", "")
    if not raw:
        return False
    living = alive(ProcessIdentity(**raw))
    # The worker died before it could name its Terraform, or Terraform's own end is not all: somebody
    # who stands in the run's folder may still write its state.
    return True if living is False and folder and at_work_in(Path(folder)) else living
