"""What an apply left outside the state when it ended early: resources that exist, or may, and that no state holds.

Terraform tells of a resource when it is made and sends its state later (20 s and more). Killed in between, it
leaves resources that its state lacks: the next plan would make them a second time. So they are worked out once
Terraform can write no more, and the environment's next run waits until a person has decided about each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.lifecycle import FINAL
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import actor
from environments.runs import state
from environments.runs.models import Leftover, Mode, ResourceProgress, StateVersion, TerraformRun
from portal import audit
from portal.accounts.principals import SYSTEM, Principal
from portal.core.redaction import MASK
from portal.terraform.state import StateResource, read_state

logger = logging.getLogger(__name__)
UNSETTLED = (Leftover.State.OPEN, Leftover.State.IMPORTING)
# More names than this are counted, not listed, in a sentence.
NAMED = 3


# --- working them out ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A resource outside the state; `made_at` None: begun, and nobody knows whether it came to be."""

    address: str
    type: str
    resource_id: str
    made_at: datetime | None


def find(change: Change) -> list[Found]:
    """What the change's progress shows made or begun and the newest state does not hold."""
    newest = StateVersion.objects.light().filter(environment=change.environment).newest()
    held: dict[str, list[StateResource]] = {}
    for one in _managed(change.environment):
        held.setdefault(one.address, []).append(one)
    rows = change.progress.filter(action="create").exclude(state=ResourceProgress.State.FAILED)
    return [_as_found(row) for row in rows if not _is_held(row, held.get(row.address, []), newest)]


def _as_found(row: ResourceProgress) -> Found:
    # An id that holds a secret was masked before it was stored; it cannot be imported by that.
    known = "" if MASK in row.resource_id else row.resource_id
    return Found(row.address, row.type, known, row.ended_at)


def _is_held(row: ResourceProgress, there: list[StateResource], newest: StateVersion | None) -> bool:
    """Whether the state knows this very resource. Under its address may still stand the one it replaces."""
    if row.state == ResourceProgress.State.DONE and row.resource_id and MASK not in row.resource_id:
        ids = {one.id for one in there}
        return row.resource_id in ids or "" in ids
    current = [one for one in there if not one.deposed]
    if not current or newest is None:
        return False
    # A write that came after it was begun tells of it, whatever became of it.
    since = row.ended_at or row.started_at
    return newest.created_at > since or not _replaced(row)


def _replaced(row: ResourceProgress) -> bool:
    return ResourceProgress.objects.filter(
        change_id=row.change_id, address=row.address, action="delete"
    ).exists() or (
        row.change.proposal is not None
        and row.change.proposal.resource_changes.filter(address=row.address, action="replace").exists()
    )


def reckon(change: Change, *, by: Principal = SYSTEM) -> list[Leftover]:
    """Write down what the ended apply left, once; call it when its Terraform can write no more."""
    found = find(change)
    with transaction.atomic():
        # Two schedulers, or a worker and a scheduler: the first one writes.
        first = TerraformRun.objects.filter(change=change, unreckoned=True).update(unreckoned=False)
        if not first:
            return []
        rows = Leftover.objects.bulk_create(
            Leftover(
                environment=change.environment,
                change=change,
                address=one.address,
                type=one.type,
                resource_id=one.resource_id,
                made_at=one.made_at,
            )
            for one in found
        )
        if rows:
            told = {row.address: row.resource_id for row in rows}
            record(change.environment, by, "leftover.found", change, after={"resources": told})
    change.terraform_run.unreckoned = False
    if rows:
        logger.warning("Change %s left %s resources outside the state", change.uuid, len(rows))
    return rows


def let_loose(run: TerraformRun, *, loose: bool) -> None:
    """Say that Terraform may now make things (True), or that its state holds all it made (False)."""
    TerraformRun.objects.filter(pk=run.pk).update(unreckoned=loose)
    run.unreckoned = loose


def record(
    environment: Environment,
    by: Principal,
    action: str,
    change: Change,
    *,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> None:
    """An audit event about what this change left."""
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=audit.Target("change", str(change.uuid), change.title),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        before=before,
        after=after,
    )


# --- the next run waits ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Blocker:
    """Why a run of this environment has to wait, and the change whose page says what to do."""

    text: str
    change: Change

    @property
    def link(self) -> str:
        return reverse("changes:detail", args=[self.change.uuid]) + "#leftovers"


def of(environment: Environment, *states: str) -> QuerySet[Leftover]:
    """Leftovers in these states (default: not settled yet), oldest first."""
    rows = Leftover.objects.filter(environment=environment, state__in=states or UNSETTLED)
    return rows.select_related("change__environment__tenant")


def troubled() -> frozenset[int]:
    """Environments (primary keys) where `blocker` may find something, in two queries for all."""
    rows = Leftover.objects.filter(state__in=UNSETTLED).order_by().values_list("environment_id", flat=True)
    runs = TerraformRun.objects.filter(unreckoned=True).order_by()
    return frozenset(rows.distinct()) | frozenset(runs.values_list("change__environment_id", flat=True))


def blocker(environment: Environment, mode: str, *, apart_from: Change | None = None) -> Blocker | None:
    """What stands before a run of this mode here; None when nothing does. A plan alters nothing and may pass."""
    if mode == Mode.PLAN:
        return None
    ended = TerraformRun.objects.filter(
        change__environment=environment, unreckoned=True, change__status__in=FINAL
    ).select_related("change__environment__tenant")
    if apart_from is not None:
        ended = ended.exclude(change=apart_from)
    for run in ended[:1]:
        text = _("“%(title)s” ended early, and what it left is not worked out yet.")
        return Blocker(text % {"title": run.change.title}, run.change)
    undecided = list(of(environment, Leftover.State.OPEN))
    if undecided:
        text = ngettext(
            "“%(title)s” ended early and left %(n)s resource that no state holds: %(names)s. "
            "Somebody has to import or dismiss it first.",
            "“%(title)s” ended early and left %(n)s resources that no state holds: %(names)s. "
            "Somebody has to import or dismiss each first.",
            len(undecided),
        )
        return Blocker(_about(text, undecided), undecided[0].change)
    if mode == Mode.DESTROY:
        marked = list(of(environment, Leftover.State.IMPORTING))
        if marked:
            text = _(
                "A destroy imports nothing, so it would leave what “%(title)s” left: %(names)s. "
                "Apply once, which imports it, or dismiss it; then destroy."
            )
            return Blocker(_about(text, marked), marked[0].change)
    return None


def _about(text: str, rows: list[Leftover]) -> str:
    return text % {"title": rows[0].change.title, "n": len(rows), "names": names(row.address for row in rows)}


def names(addresses: Iterable[str]) -> str:
    """The first few addresses, and how many more."""
    found = list(addresses)
    shown = ", ".join(found[:NAMED])
    rest = len(found) - NAMED
    return shown if rest <= 0 else _("%(names)s and %(n)s more") % {"names": shown, "n": rest}


# --- imports ---------------------------------------------------------------------------------------


def pending(environment: Environment) -> dict[str, str]:
    """What the next plan is to import: address -> id."""
    return {row.address: row.resource_id for row in of(environment, Leftover.State.IMPORTING)}


def note_held(environment: Environment, change: Change) -> int:
    """Marked ones that the state already holds by this very id: nothing is left to import. Returns how many."""
    ids = {(one.address, one.id) for one in _managed(environment)}
    marked = [
        row for row in of(environment, Leftover.State.IMPORTING) if (row.address, row.resource_id) in ids
    ]
    return _imported(marked, change)


def note_imported(change: Change) -> int:
    """After an apply: those that its plan imported and the state now holds. Returns how many."""
    planned = change.proposal.facts.get("imports", {}) if change.proposal else {}
    if not planned:
        return 0
    held = {one.address for one in _managed(change.environment)}
    marked = of(change.environment, Leftover.State.IMPORTING).filter(address__in=planned)
    return _imported([row for row in marked if row.address in held], change)


def _managed(environment: Environment) -> tuple[StateResource, ...]:
    newest = state.current(environment)
    return read_state(newest.content).managed if newest else ()


def _imported(rows: list[Leftover], change: Change) -> int:
    if not rows:
        return 0
    with transaction.atomic():
        ids = [row.pk for row in rows]
        Leftover.objects.filter(pk__in=ids, state=Leftover.State.IMPORTING).update(
            state=Leftover.State.IMPORTED, settled_at=timezone.now()
        )
        told = {row.address: row.resource_id for row in rows}
        record(change.environment, SYSTEM, "leftover.imported", change, after={"resources": told})
    return len(rows)
