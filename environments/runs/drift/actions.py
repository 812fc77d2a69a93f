"""What people do about a drift row: ignore it until a date, revert it, accept it into the definition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.blueprints import actions as definitions
from environments.changes.models import Change, Start
from environments.models import Definition, Environment
from environments.permissions import actor, require
from environments.runs import actions
from environments.runs.drift import rows
from environments.runs.drift.accept import CannotAccept, acceptance, values_with
from environments.runs.drift.checks import last_applied
from environments.runs.models import DriftCheck, DriftIgnore, Mode
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput

LONGEST: Final = timedelta(days=366)
MAX_REASON: Final = 2000


def _row(environment: Environment, address: str) -> Mapping[str, Any]:
    check = DriftCheck.objects.filter(environment=environment).first()
    row = rows.row_at(check, address) if check else None
    if row is None:
        raise Conflict(
            _("The last look shows no drift at %(address)s.") % {"address": address},
            hint=_("It may have been set right meanwhile; look again."),
        )
    return row


def ignore(
    *, by: Principal, environment: Environment, address: str, until: datetime, reason: str, path: str = ""
) -> DriftIgnore:
    """Leave this drift, of a resource or of one attribute, until a date. Raises NotAllowed, InvalidInput, Conflict."""
    now = timezone.now()
    errors: dict[str, list[str]] = {}
    if not reason.strip():
        errors["reason"] = [_("Say why; whoever reads this next month was not there.")]
    elif len(reason) > MAX_REASON:
        errors["reason"] = [_("At most %(n)s characters.") % {"n": MAX_REASON}]
    if until <= now:
        errors["until"] = [_("This time is past; choose one to come.")]
    elif until > now + LONGEST:
        errors["until"] = [_("At most a year; whoever comes then decides anew.")]
    if errors:
        raise InvalidInput(errors)
    with acting(by, environment, action="drift.ignore", target=actions.target_of(environment)):
        require(by, environment, "drift.ignore")
        row = _row(environment, address)
        if path and path not in {one["path"] for one in row["attributes"]}:
            raise Conflict(_("The last look shows no drift of %(path)s there.") % {"path": path})
        if path and row["action"] != "update":
            raise Conflict(_("The resource itself differs, not one attribute: ignore the whole of it."))
        # Of two for one thing the later word counts.
        same = rows.active_ignores().filter(environment=environment, address=address, path=path)
        same.filter(action=row["action"]).update(ended_at=now)
        made = DriftIgnore.objects.create(
            environment=environment,
            address=address,
            path=path,
            action=row["action"],
            reason=reason.strip(),
            until=until,
            by=by.name[:150],
        )
        _record(by, environment, "drift.ignore", address=address, path=path, until=until, why=made.reason)
    return made


def end_ignore(*, by: Principal, ignored: DriftIgnore) -> None:
    """Let it count again before its date. Raises NotAllowed, Conflict."""
    environment = ignored.environment
    with acting(by, environment, action="drift.ignore_end", target=actions.target_of(environment)):
        require(by, environment, "drift.ignore")
        ended = DriftIgnore.objects.filter(pk=ignored.pk, ended_at=None, until__gt=timezone.now())
        if not ended.update(ended_at=timezone.now()):
            raise Conflict(_("It is over already."))
        _record(by, environment, "drift.ignore_end", address=ignored.address, path=ignored.path)


def revert(
    *,
    by: Principal,
    environment: Environment,
    address: str,
    reason: str = "",
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for an apply of the definition last applied, of this resource alone (-target). Raises NotAllowed, Conflict."""
    run = last_applied(environment)
    with acting(by, environment, action="change.request", target=actions.target_of(environment)):
        require(by, environment, "change.request")
        _row(environment, address)
        if run is None:
            raise Conflict(_("Nothing is applied here, so there is nothing to go back to."))
    said = _("Sets drift right at %(address)s (Terraform -target: this resource and what it needs).") % {
        "address": address
    }
    # An act of its own, after this one's transaction: its refusals are recorded by itself.
    return actions.request_run(
        by=by,
        environment=environment,
        mode=Mode.APPLY,
        definition=run.definition,
        targets=[address],
        reason=f"{said} {reason}".strip(),
        start=start,
        start_at=start_at,
    )


def accept(*, by: Principal, environment: Environment, address: str, path: str, note: str = "") -> Definition:
    """Make the next definition with the value that stands in AWS; a run of it then finds nothing to do there.

    Raises NotAllowed, InvalidInput, Conflict with the reason when no variable stands for the attribute.
    """
    with acting(by, environment, action="drift.accept", target=actions.target_of(environment)):
        require(by, environment, "definition.create")
        row = _row(environment, address)
        try:
            found = acceptance(environment, row, path)
        except CannotAccept as cannot:
            raise Conflict(str(cannot), hint=_("Revert it, or ignore it until a date.")) from cannot
        newest = environment.latest_definition
        assert newest is not None
    said = _("Accepts drift: %(name)s as it stands in AWS.") % {"name": found.name}
    plain, secret = definitions.whole_definition(environment, values_with(environment, found))
    made = definitions.define(
        by=by,
        environment=environment,
        variables=plain,
        sensitive=secret,
        note=f"{said} {note}".strip()[: definitions.MAX_NOTE],
        base=newest.number,
    )
    with transaction.atomic():
        after = {"variable": found.name, "definition": made.number}
        _record(by, environment, "drift.accept", address=address, path=path, **after)
    return made


def _record(by: Principal, environment: Environment, action: str, **after: object) -> None:
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=actions.target_of(environment),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after=after,
    )
