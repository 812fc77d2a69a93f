"""Working out what an apply left outside the state when it ended early.

Terraform tells of a resource when it is made and sends its state later (20 s and more). Killed in between, it
leaves resources that its state lacks, and the next plan would make them a second time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from environments.changes.models import Change
from environments.runs.leftovers import rows as leftovers
from environments.runs.models import Leftover, ResourceProgress, StateVersion, TerraformRun
from portal.accounts.principals import SYSTEM, Principal
from portal.core.redaction import MASK
from portal.terraform.state import StateResource

logger = logging.getLogger(__name__)


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
    for one in leftovers.managed(change.environment):
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
            leftovers.record(change.environment, by, "leftover.found", change, after={"resources": told})
    change.terraform_run.unreckoned = False
    if rows:
        logger.warning("Change %s left %s resources outside the state", change.uuid, len(rows))
    return rows


def let_loose(run: TerraformRun, *, loose: bool) -> None:
    """Say that Terraform may now make things (True), or that its state holds all it made (False)."""
    TerraformRun.objects.filter(pk=run.pk).update(unreckoned=loose)
    run.unreckoned = loose
