"""What people do with leftovers: have the next plan import them, or dismiss them with a reason."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes.dispatch import dispatch
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import require
from environments.runs.leftovers import rows as leftovers
from environments.runs.models import Leftover
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import InvalidInput, StaleState

LONGEST_ID = 1024


def _target(change: Change) -> audit.Target:
    return audit.Target("change", str(change.uuid), change.title)


def import_leftover(*, by: Principal, leftover: Leftover, resource_id: str = "") -> Leftover:
    """Let the next plan import this one, by the id the log tells or by the one given."""
    wanted = tidy(resource_id)
    with acting(by, leftover.environment, action="leftover.import", target=_target(leftover.change)):
        require(by, leftover.environment, "leftover.settle")
        row = _locked(leftover)
        wanted = wanted or row.resource_id
        if not wanted:
            raise InvalidInput(
                {
                    "resource_id": [
                        _("Terraform had told no id yet. Look it up in AWS and type it here, or dismiss it.")
                    ]
                }
            )
        if row.state == Leftover.State.IMPORTING and row.resource_id == wanted:
            raise StaleState(_("%(address)s is marked for import already.") % {"address": row.address})
        _settle(by, row, Leftover.State.IMPORTING, "leftover.import", resource_id=wanted)
    return row


def import_all(*, by: Principal, change: Change) -> int:
    """Let the next plan import everything this change left that is undecided and has an id. Returns how many."""
    with acting(by, change.environment, action="leftover.import", target=_target(change)):
        require(by, change.environment, "leftover.settle")
        rows = leftovers.of(change.environment, Leftover.State.OPEN).filter(change=change)
        found = [row for row in rows.select_for_update(of=("self",)) if row.resource_id]
        if not found:
            raise StaleState(_("Nothing is left to decide here that has an id."))
        for row in found:
            _settle(by, row, Leftover.State.IMPORTING, "leftover.import", resource_id=row.resource_id)
    return len(found)


def dismiss(*, by: Principal, leftover: Leftover, reason: str) -> Leftover:
    """Say that the state shall not have this one: it does not exist, or somebody removed it."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say why the state can do without it: it is gone, or not ours.")]})
    with acting(by, leftover.environment, action="leftover.dismiss", target=_target(leftover.change)):
        require(by, leftover.environment, "leftover.settle")
        row = _locked(leftover)
        _settle(by, row, Leftover.State.DISMISSED, "leftover.dismiss", reason=reason.strip()[:4000])
    return row


def tidy(resource_id: str) -> str:
    """The typed id without blanks around it; InvalidInput for what no provider calls anything."""
    wanted = resource_id.strip()
    if len(wanted) > LONGEST_ID or any(not sign.isprintable() for sign in wanted):
        raise InvalidInput(
            {"resource_id": [_("An id is one line of at most %(n)s characters.") % {"n": LONGEST_ID}]}
        )
    return wanted


def _locked(leftover: Leftover) -> Leftover:
    """As it is now, held until the transaction ends; StaleState when somebody has settled it for good."""
    rows = Leftover.objects.select_for_update(of=("self",)).select_related("change__environment__tenant")
    row = rows.get(pk=leftover.pk)
    if row.state not in leftovers.UNSETTLED:
        words = {"address": row.address, "state": row.get_state_display().lower(), "who": row.settled_by}
        raise StaleState(_("%(address)s is already %(state)s (%(who)s).") % words)
    return row


def _settle(by: Principal, row: Leftover, to: Leftover.State, action: str, **fields: str) -> None:
    before = {"state": row.state, "resource_id": row.resource_id}
    row.state, row.settled_by, row.settled_at = to, by.name[:150], timezone.now()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    after = {"address": row.address, "state": row.state, **fields}
    leftovers.record(row.environment, by, action, row.change, before=before, after=after)
    _wake(row.environment)


def _wake(environment: Environment) -> None:
    """Runs that waited for this decision look again at once."""
    waiting = Change.objects.filter(environment=environment, status__in=[Status.REQUESTED, Status.APPROVED])
    for change in waiting.exclude(due_at=None):
        dispatch(change)
