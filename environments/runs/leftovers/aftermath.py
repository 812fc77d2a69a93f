"""After an apply that ended early: when its Terraform can write no more, bring home what lies on disk and close its books."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from environments.changes.lifecycle import FINAL
from environments.changes.models import Change
from environments.runs import progress
from environments.runs.leftovers import reckoning, rows, salvage
from environments.runs.models import RunCredential, StateLock, TerraformRun
from environments.runs.states import store
from portal.accounts.principals import SYSTEM, Principal

logger = logging.getLogger(__name__)
# What became of the dead worker's share of the log.
SALVAGED, CUT = "salvaged", "cut"
# Workers look every few seconds.
FOR_ITS_OWN_MACHINE = timedelta(seconds=20)


def is_silent(change: Change) -> bool:
    """Whether the change's Terraform can write no more: it is proven dead, or shut out from here.

    From another machine its death cannot be proven; but without lock and credential it neither alters nor saves.
    """
    alive = store.tool_alive(change)
    if alive is not None:
        return not alive
    locked = StateLock.objects.filter(change=change).exists()
    return not locked and not RunCredential.objects.filter(change=change, revoked_at=None).exists()


def close_books(change: Change, *, by: Principal = SYSTEM) -> bool:
    """Salvage what the dead worker left on disk and work out the leftovers, once its Terraform is silent.

    False: not yet. Harmless when it comes twice.
    """
    run = TerraformRun.objects.filter(change=change).first()
    if run is None or not run.unreckoned or change.status not in FINAL:
        return True
    if not is_silent(change) or _is_for_its_own_machine(change):
        return False
    found = salvage.salvage(change, by=by)
    told = {**progress.counts(change), "log": SALVAGED if found else CUT}
    TerraformRun.objects.filter(pk=run.pk).update(progress=told)
    reckoning.reckon(change, by=by)
    rows.note_imported(change)
    return True


def _is_for_its_own_machine(change: Change) -> bool:
    """Whether the folder lies elsewhere, and a worker there has not had the time to bring it."""
    if store.tool_alive(change) is False or change.finished_at is None:
        return False
    return timezone.now() < change.finished_at + FOR_ITS_OWN_MACHINE


def close_all() -> None:
    """What the scheduler and every worker do: books that nobody closed, because a worker died over them."""
    open_runs = TerraformRun.objects.filter(unreckoned=True, change__status__in=FINAL)
    for run in open_runs.select_related("change__environment__tenant", "change__proposal"):
        closed(run.change)


def closed(change: Change) -> bool:
    """As `close_books`; a fault is logged and False: one that cannot be read must not keep the others waiting."""
    try:
        return close_books(change)
    except Exception:
        logger.exception("What change %s left could not be worked out", change.uuid)
        return False
