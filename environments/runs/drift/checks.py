"""Drift: is what is there still what was applied? Housekeeping, not a change: it alters nothing.

Judged by a normal plan of the last applied definition with `-lock=false`, by its resource changes:
a refresh-only plan calls a freshly applied stack drifted.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import actor
from environments.runs.drift import plan
from environments.runs.models import DriftCheck, Mode, TerraformRun
from environments.runs.planning import KIND
from environments.runs.states import store
from portal import audit
from portal.accounts.principals import SYSTEM
from portal.core.errors import GatehouseError
from portal.core.redaction import mask_patterns
from portal.terraform.errors import TerraformError

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=15)
KEPT_ROWS = 200
# A look that an apply overtook is taken again after it.
AGAIN = timedelta(minutes=2)


def ended(environment: Any) -> QuerySet[TerraformRun]:
    """Runs that built or destroyed this environment, the newest first."""
    return TerraformRun.objects.filter(
        change__environment=environment,
        change__kind=KIND,
        change__status__in=[Status.SUCCEEDED, Status.NO_CHANGES],
        mode__in=[Mode.APPLY, Mode.DESTROY],
    ).order_by("-change__finished_at")


def last_applied(environment: Environment) -> TerraformRun | None:
    """The newest run that applied a definition here; None when nothing stands (never applied, destroyed)."""
    run = (
        ended(environment)
        .select_related("definition__environment__tenant", "definition__environment__account", "change")
        .first()
    )
    return run if run and run.mode == Mode.APPLY else None


def due(at: datetime) -> list[DriftCheck]:
    """Environments whose look is due, that nobody looks at, on which nobody works and where something stands."""
    for environment in Environment.objects.active().exclude(blueprint="").filter(drift=None):
        DriftCheck.objects.get_or_create(environment=environment)
    rows = DriftCheck.objects.filter(due_at__lte=at, environment__retired_at=None).select_related(
        "environment__tenant", "environment__account"
    )
    rows = rows.exclude(lease_until__gt=at).exclude(
        environment__changes__status__in=[Status.EXECUTING, Status.VERIFYING]
    )
    # Asked of the database: what has nothing to look at stays due, and must not stand before the rest.
    newest = ended(OuterRef("environment")).values("mode")[:1]
    rows = rows.annotate(last_mode=Subquery(newest)).filter(last_mode=Mode.APPLY)
    return list(rows.order_by("due_at")[:20])


def check(environment_id: int) -> None:
    """Plan the last applied definition and store the verdict; a failure keeps the old one with the error beside it."""
    row = DriftCheck.objects.select_related("environment__tenant", "environment__account").get(
        environment_id=environment_id
    )
    now = timezone.now()
    taken = DriftCheck.objects.filter(pk=row.pk, fence=row.fence).exclude(lease_until__gt=now)
    if not taken.update(lease_until=now + LEASE, fence=row.fence + 1):
        return
    run = last_applied(row.environment)
    again = timedelta(hours=settings.DRIFT_INTERVAL_HOURS)
    if run is None:
        _store(row, verdict=DriftCheck.Verdict.NEVER, due_at=now + again, rows=[], count=0)
        return
    before = store.position(row.environment)
    try:
        found = plan.differences(run)
    except (ToolFailure, GatehouseError, TerraformError, OSError) as failure:
        text = mask_patterns(str(failure))
        _store(row, error=text[:4000], error_at=timezone.now(), due_at=now + again)
        return
    if store.position(row.environment) != before:
        # An apply passed by, for which no look waits nor is waited for: half of what was seen is from before it.
        _store(row, due_at=timezone.now() + AGAIN)
        return
    verdict = DriftCheck.Verdict.DRIFTED if found else DriftCheck.Verdict.CLEAN
    _store(
        row,
        verdict=verdict,
        rows=found[:KEPT_ROWS],
        count=len(found),
        taken_at=timezone.now(),
        error="",
        error_at=None,
        due_at=now + again,
    )


def _store(row: DriftCheck, **fields: object) -> None:
    with transaction.atomic():
        same = DriftCheck.objects.select_for_update().filter(pk=row.pk, fence=row.fence + 1).first()
        if same is None:
            return
        was = same.verdict
        for name, value in fields.items():
            setattr(same, name, value)
        same.lease_until = None
        same.save()
        audit.record(
            actor=actor(SYSTEM, row.environment),
            action="drift.checked",
            target=audit.Target("environment", row.environment.key, str(row.environment)),
            tenant=row.environment.tenant.ref,
            environment=row.environment.slug,
            outcome="failed" if fields.get("error") else "done",
            before={"verdict": was},
            after={"verdict": same.verdict, "count": same.count},
            detail=_("The look failed; the verdict is the old one.") if fields.get("error") else "",
        )


def open_change(environment: Environment) -> Change | None:
    """The change that is under way, for the page: a look now would see half of it."""
    return Change.objects.filter(environment=environment, status=Status.EXECUTING).first()
