"""What people do about an extra: allow it until a date, adopt it, remove it; or ask for a look now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.lifecycle import OPEN
from environments.changes.models import Change, Start
from environments.models import Environment
from environments.permissions import actor, require
from environments.runs.drift.checks import last_applied
from environments.runs.live import checks as live
from environments.runs.live import deeds, text
from environments.runs.live.removal import KIND
from environments.runs.live.risk import CRITICAL
from environments.runs.models import ExtraRemoval, LiveExtra
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput

LONGEST: Final = timedelta(days=366)
MAX_REASON: Final = 2000


def target_of(environment: Environment) -> audit.Target:
    return audit.Target("environment", environment.key, str(environment))


def open_removal(row: LiveExtra) -> Change | None:
    """The change that is to take this extra away, while it is open."""
    found = ExtraRemoval.objects.filter(extra=row, change__status__in=OPEN).select_related("change").first()
    return found.change if found else None


def can_look(environment: Environment) -> bool:
    """Whether there is an AWS account to look into: none behind a local environment."""
    local = environment.environment_class == Environment.Class.LOCAL
    return not local and environment.account is not None


def check_live(*, by: Principal, environment: Environment) -> None:
    """Ask for a look at what Terraform does not see. Raises NotAllowed, Conflict where there is none."""
    with acting(by, environment, action="live.check", target=target_of(environment)):
        require(by, environment, "drift.check")
        if not can_look(environment):
            raise Conflict(_("A local environment, or one without an AWS account, has nothing to look at."))
        if last_applied(environment) is None:
            raise Conflict(_("Nothing is applied here, so there is nothing to compare with."))
        live.look_again(environment)
        _record(by, environment, "live.check")


def allow(*, by: Principal, extra: LiveExtra, until: datetime, reason: str) -> LiveExtra:
    """Live with it until a date: no alarm before, and again afterwards. Raises NotAllowed, InvalidInput, Conflict."""
    now = timezone.now()
    errors = _reason_errors(reason)
    if until <= now:
        errors["until"] = [_("This time is past; choose one to come.")]
    elif until > now + LONGEST:
        errors["until"] = [_("At most a year; whoever comes then decides anew.")]
    if errors:
        raise InvalidInput(errors)
    with _settling(by, extra, "extra.allow") as row:
        row.allowed_until, row.adopted_at = until, None
        _settle(by, row, "extra.allow", reason, until=until)
    return row


def adopt(*, by: Principal, extra: LiveExtra, reason: str) -> LiveExtra:
    """Accept it as part of the environment: no alarm any more; its page says how Terraform comes to own it.

    Raises NotAllowed, InvalidInput, Conflict.
    """
    errors = _reason_errors(reason)
    if errors:
        raise InvalidInput(errors)
    with _settling(by, extra, "extra.adopt") as row:
        row.adopted_at, row.allowed_until = timezone.now(), None
        _settle(by, row, "extra.adopt", reason)
    return row


def reopen(*, by: Principal, extra: LiveExtra) -> LiveExtra:
    """Take an adoption or an allowance back: it counts again."""
    with _settling(by, extra, "extra.reopen") as row:
        if row.adopted_at is None and row.allowed_until is None:
            raise Conflict(_("Nobody adopted or allowed it; there is nothing to take back."))
        row.adopted_at = row.allowed_until = None
        _settle(by, row, "extra.reopen", "")
    return row


def remove(
    *,
    by: Principal,
    extra: LiveExtra,
    reason: str = "",
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for a change that takes exactly this away. Raises NotAllowed, Conflict."""
    environment = extra.environment
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "change.request")
        row = _locked(extra)
        barrier = deeds.barrier(row)
        if barrier:
            raise Conflict(barrier)
        under_way = open_removal(row)
        if under_way is not None:
            raise Conflict(
                _("“%(title)s” is under way for it already.") % {"title": under_way.title},
                hint=_("Open that change instead."),
            )
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Remove from %(environment)s: %(what)s")
            % {"environment": environment, "what": text.title(row)},
            reason=reason,
            start=start,
            start_at=start_at,
        )
        ExtraRemoval.objects.create(change=change, extra=row)
    return change


def _reason_errors(reason: str) -> dict[str, list[str]]:
    if not reason.strip():
        return {"reason": [_("Say why; whoever reads this next month was not there.")]}
    if len(reason) > MAX_REASON:
        return {"reason": [_("At most %(n)s characters.") % {"n": MAX_REASON}]}
    return {}


def _locked(extra: LiveExtra) -> LiveExtra:
    """The row as it is now, held until the transaction ends. Raises Conflict when it is gone in AWS."""
    rows = LiveExtra.objects.select_for_update(of=("self",)).select_related("environment__tenant")
    row = rows.get(pk=extra.pk)
    if row.gone_at is not None:
        raise Conflict(_("It is gone from AWS already; there is nothing to decide."))
    return row


@contextmanager
def _settling(by: Principal, extra: LiveExtra, action: str) -> Iterator[LiveExtra]:
    environment = extra.environment
    with acting(by, environment, action=action, target=target_of(environment)):
        high = extra.risk >= CRITICAL
        require(by, environment, "extra.settle_high_risk" if high else "extra.settle")
        yield _locked(extra)


def _settle(
    by: Principal, row: LiveExtra, action: str, reason: str, *, until: datetime | None = None
) -> None:
    row.settled_by, row.reason = by.name[:150], reason.strip()
    row.save(update_fields=["adopted_at", "allowed_until", "settled_by", "reason"])
    _record(
        by, row.environment, action, extra=row.key, on=row.address, risk=row.risk, until=until, why=row.reason
    )


def _record(by: Principal, environment: Environment, action: str, **after: object) -> None:
    assert transaction.get_connection().in_atomic_block
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=target_of(environment),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after={name: value for name, value in after.items() if value is not None} or None,
    )
