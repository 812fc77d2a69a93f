"""What the page tells of an apply that ended early: where it was, who held the lock, what was written, what is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.permissions import refusal, roles_of
from environments.runs import progress
from environments.runs.leftovers.aftermath import CUT
from environments.runs.models import Leftover, Mode, StateLock, StateVersion, TerraformRun
from environments.runs.states import store
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.core.templatetags.times import absolute


def told(change: Change, user: User) -> dict[str, Any]:
    """What the page says about an early end, under "aftermath"; empty for a change that told its whole story."""
    run = change.terraform_run
    if not change.started_at:
        return {}
    rows = list(change.leftovers.all())
    if change.status != Status.INTERRUPTED and not run.unreckoned and not rows:
        return {}
    environment = change.environment
    importing = len([row for row in rows if row.state == Leftover.State.IMPORTING])
    undecided = [row for row in rows if row.state == Leftover.State.OPEN]
    reason = refusal(roles_of(user, environment.tenant), "leftover.settle") or ""
    facts = {
        "where": where(run),
        "lock": lock_story(change),
        "written": last_write(change),
        "working_out": run.unreckoned,
        "cut": run.progress.get("log") == CUT,
        "rows": rows,
        "undecided": len(undecided),
        "importable": len([row for row in undecided if row.resource_id]),
        "importing": importing,
        "denied": reason,
        "again": next_run(run, importing=bool(importing)),
        "import_all": reverse("runs:leftovers_import", args=[change.uuid]),
    }
    return {"aftermath": facts}


def next_run(run: TerraformRun, *, importing: bool) -> str:
    """The page that asks for the next run, filled in: the same again (a plan always refreshes), or what imports."""
    environment = run.change.environment
    asked = {
        # A destroy imports nothing.
        "mode": Mode.APPLY if importing else run.mode,
        "definition": run.definition.number,
        "reason": _("After “%(title)s”, which ended early") % {"title": run.change.title},
    }
    place = reverse("runs:request", args=[environment.tenant.slug, environment.slug])
    return f"{place}?{urlencode(asked)}"


def where(run: TerraformRun) -> str:
    """The phase in which it ended."""
    if run.command == "apply":
        return _("Terraform was applying. %(counts)s") % {"counts": progress.sentence(run.change)}
    if run.command == "init":
        return _("Terraform was being prepared (init); nothing was applied.")
    return _("Terraform had not begun to apply; nothing was altered.")


def last_write(change: Change) -> str:
    """The last state write: this run's, or the one before it."""
    own = StateVersion.objects.light().filter(change=change).newest()
    if own is not None:
        return _("Its last state write was version %(n)s, serial %(serial)s, at %(at)s.") % _version(own)
    newest = StateVersion.objects.light().filter(environment=change.environment).newest()
    if newest is None:
        return _("It had written no state, and there is none from before.")
    return _(
        "It had written no state. The newest is version %(n)s, serial %(serial)s, of %(at)s by %(who)s."
    ) % _version(newest)


def _version(version: StateVersion) -> dict[str, Any]:
    return {
        "n": version.number,
        "serial": version.serial,
        "at": exact(version.created_at),
        "who": version.written_by,
    }


def exact(at: datetime) -> str:
    return absolute(at, seconds=True)


def lock_story(change: Change) -> str:
    """Who held the state's lock since when, and how it was given back: from the row and the audit log."""
    held = StateLock.objects.filter(change=change).first()
    if held is not None:
        alive = {
            True: _("Its Terraform still runs."),
            False: _("Its Terraform is dead; the lock is released in a moment."),
            None: _("Whether its Terraform still runs cannot be told from here."),
        }[store.tool_alive(change)]
        since = {"who": held.holder, "at": exact(held.created_at), "alive": alive}
        return _("“%(who)s” holds the lock since %(at)s. %(alive)s") % since
    events = AuditEvent.objects.filter(
        chain=change.environment.tenant.slug, environment=change.environment.slug, outcome="done"
    ).order_by("id")
    taken = events.filter(action="state.lock", actor_name=f"run {change.uuid}").last()
    if taken is None:
        return _("It had not taken the state's lock.")
    since = {"who": change.title, "at": exact(taken.at)}
    lock_id = (taken.after or {}).get("lock")
    given = [
        event
        for event in events.filter(action__in=["state.unlock", "state.force_unlock"], id__gt=taken.pk)[:20]
        if (event.after or {}).get("lock") == lock_id
    ]
    return _("“%(who)s” held the lock since %(at)s. %(end)s") % {**since, "end": _given_back(given)}


def _given_back(events: list[AuditEvent]) -> str:
    if not events:
        return _("How it was given back is not recorded.")
    event = events[0]
    facts = {"at": exact(event.at), "who": event.actor_name, "why": (event.after or {}).get("reason", "")}
    if event.action == "state.force_unlock":
        return _("%(who)s released it at %(at)s: %(why)s") % facts
    if (event.after or {}).get("proof"):
        return _("The portal released it at %(at)s, on proof that its process is dead.") % facts
    return _("Terraform gave it back itself at %(at)s.") % facts
