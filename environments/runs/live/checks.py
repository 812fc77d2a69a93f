"""What Terraform does not see: rules, policies and openings that somebody added beside the state. Housekeeping.

A plan knows only what the definition mentions: a rule or an attachment is a resource of its own, so one that
somebody adds by hand gives "No changes". Here what stands in AWS is compared with the state itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import actor
from environments.runs.drift import checks
from environments.runs.live import look as live_look
from environments.runs.live import trail as live_trail
from environments.runs.live.found import Extra
from environments.runs.live.look import Look
from environments.runs.live.rows import open_extras
from environments.runs.live.trail import Adder
from environments.runs.models import LiveCheck, LiveExtra, Mode
from environments.runs.states import store
from portal import audit
from portal.accounts.principals import SYSTEM
from portal.core.errors import GatehouseError
from portal.core.redaction import Redactor
from portal.terraform.errors import TerraformError

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=15)
SOON = timedelta(minutes=1)
WORKING = (Status.EXECUTING, Status.VERIFYING)
# CloudTrail answers twice a second: a flood of extras is named over several looks.
MOST_ASKED = 40


def due(at: datetime) -> list[LiveCheck]:
    """Environments whose look is due, that nobody looks at, on which nobody works and where something stands."""
    places = Environment.objects.active().exclude(account=None).exclude(blueprint="")
    places = places.exclude(environment_class=Environment.Class.LOCAL)
    for environment in places.filter(live_check=None):
        LiveCheck.objects.get_or_create(environment=environment)
    newest = checks.ended(OuterRef("environment")).values("mode")[:1]
    rows = LiveCheck.objects.filter(due_at__lte=at, environment__in=places)
    rows = rows.exclude(lease_until__gt=at).exclude(environment__changes__status__in=WORKING)
    rows = rows.annotate(last_mode=Subquery(newest)).filter(last_mode=Mode.APPLY)
    return list(rows.order_by("due_at")[:20])


def look_again(environment: Environment) -> None:
    """The next look is due now: something was applied, or somebody asks."""
    LiveCheck.objects.get_or_create(environment=environment)
    LiveCheck.objects.filter(environment=environment).update(due_at=timezone.now())


def check(environment_id: int) -> None:
    """Look once, if nobody does already; a failure keeps the old rows with the error beside them."""
    row = LiveCheck.objects.select_related("environment__tenant", "environment__account").get(
        environment_id=environment_id
    )
    began = timezone.now()
    taken = LiveCheck.objects.filter(pk=row.pk, fence=row.fence).exclude(lease_until__gt=began)
    if not taken.update(lease_until=began + LEASE, fence=row.fence + 1):
        return
    environment = row.environment
    if checks.last_applied(environment) is None:
        _keep(row, Look((), {}), {}, began)
        return
    before = store.position(environment)
    try:
        found = live_look.look(environment)
        adders = _adders(environment, found)
    except (GatehouseError, TerraformError) as failure:
        _fail(row, failure)
        return
    if _half_done(environment, began, before):
        # What an apply is making stands in AWS before it stands in the state.
        LiveCheck.objects.filter(pk=row.pk, fence=row.fence + 1).update(
            lease_until=None, due_at=timezone.now() + SOON
        )
        return
    _keep(row, found, adders, began)


def _half_done(environment: Environment, began: datetime, before: Mapping[str, object]) -> bool:
    changes = Change.objects.filter(environment=environment)
    working = changes.filter(Q(status__in=WORKING) | Q(finished_at__gte=began, started_at__isnull=False))
    return working.exists() or store.position(environment) != before


def _adders(environment: Environment, found: Look) -> dict[tuple[str, str, str], Adder]:
    """Who added what is new, or could not be named for an error last time."""
    known = {
        (row.kind, row.resource_id, row.key)
        for row in open_extras(environment)
        if row.added_by or row.detail.get("unknown") == live_trail.TELLS_NOTHING
    }
    new = [extra for extra in found.found if extra.identity not in known]
    if not new:
        return {}
    reach = live_look.reach_of(environment)
    worst = sorted(new, key=lambda extra: -extra.risk)[:MOST_ASKED]
    return {extra.identity: live_trail.added_by(extra, reach) for extra in worst}


def _mine(row: LiveCheck) -> LiveCheck | None:
    """The row, locked, while this look still owns it."""
    return LiveCheck.objects.select_for_update().filter(pk=row.pk, fence=row.fence + 1).first()


def _fail(row: LiveCheck, failure: Exception) -> None:
    with transaction.atomic():
        mine = _mine(row)
        if mine is None:
            return
        _finish(mine, error=_words(failure))
        _audited(mine, row.environment, outcome="failed", after={"error": mine.error})


def _words(failure: Exception) -> str:
    """The error with what to do about it: which IAM action is missing."""
    hint = failure.hint if isinstance(failure, GatehouseError) else ""
    return Redactor([]).redact(f"{failure} {hint}".strip())[:4000]


def _finish(mine: LiveCheck, *, error: str, taken_at: datetime | None = None) -> None:
    mine.lease_until = None
    mine.due_at = timezone.now() + timedelta(hours=settings.DRIFT_INTERVAL_HOURS)
    mine.error = error
    mine.error_at = timezone.now() if error else None
    mine.taken_at = taken_at or mine.taken_at
    mine.save()


def _keep(row: LiveCheck, look: Look, adders: Mapping[tuple[str, str, str], Adder], began: datetime) -> None:
    """Write what was found: new extras, those seen again, those that are gone."""
    with transaction.atomic():
        mine = _mine(row)
        if mine is None:
            return
        known = {(one.kind, one.resource_id, one.key): one for one in open_extras(row.environment)}
        seen = {extra.identity: extra for extra in look.found}
        for identity, extra in seen.items():
            _write(row.environment, known.get(identity), extra, adders.get(identity), began)
        gone = [
            one.pk for identity, one in known.items() if identity not in seen and one.kind not in look.errors
        ]
        LiveExtra.objects.filter(pk__in=gone).update(gone_at=timezone.now())
        # With one kind unread the whole is as old as that kind's last look.
        _finish(
            mine,
            error="\n".join(_words(error) for error in look.errors.values()),
            taken_at=None if look.errors else began,
        )
        _audited(
            mine,
            row.environment,
            outcome="failed" if look.errors else "done",
            after={
                "extras": len(seen),
                "new": sorted(extra.key for key, extra in seen.items() if key not in known)[:50],
                "gone": len(gone),
            },
        )


def _write(
    environment: Environment, old: LiveExtra | None, extra: Extra, adder: Adder | None, at: datetime
) -> None:
    row = old or LiveExtra(
        environment=environment,
        kind=extra.kind,
        resource_id=extra.resource_id,
        key=extra.key[:500],
        first_seen_at=at,
    )
    row.address, row.risk, row.last_seen_at = extra.address[:500], extra.risk, at
    told = {name: row.detail.get(name, "") for name in ("arn_of", "from", "unknown")}
    if adder is not None:
        row.added_by, row.added_at = adder.who[:300], adder.at
        told = {"arn_of": adder.arn, "from": adder.address, "unknown": adder.unknown}
    row.detail = {**extra.detail, "reason": extra.reason, **told}
    row.save()


def _audited(mine: LiveCheck, environment: Environment, *, outcome: str, after: dict[str, object]) -> None:
    audit.record(
        actor=actor(SYSTEM, environment),
        action="live.checked",
        target=audit.Target("environment", environment.key, str(environment)),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        outcome=outcome,
        after=after,
        detail=_("The look failed in part or whole; what could not be read is as it was.")
        if outcome == "failed"
        else "",
    )
