"""Resources that an apply which ended early left outside the state, and what becomes of them.

They are worked out by reckoning.py, stand before the next run in blocking.py, and are decided about by people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import actor
from environments.runs.models import Leftover
from environments.runs.states import store
from portal import audit
from portal.accounts.principals import SYSTEM, Principal
from portal.terraform.state import StateResource, read_state

UNSETTLED = (Leftover.State.OPEN, Leftover.State.IMPORTING)
# More names than this are counted, not listed, in a sentence.
NAMED = 3


def of(environment: Environment, *states: str) -> QuerySet[Leftover]:
    """Leftovers in these states (default: not settled yet), oldest first."""
    rows = Leftover.objects.filter(environment=environment, state__in=states or UNSETTLED)
    return rows.select_related("change__environment__tenant")


def names(addresses: Iterable[str]) -> str:
    """The first few addresses, and how many more."""
    found = list(addresses)
    shown = ", ".join(found[:NAMED])
    rest = len(found) - NAMED
    return shown if rest <= 0 else _("%(names)s and %(n)s more") % {"names": shown, "n": rest}


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


def pending(environment: Environment) -> dict[str, str]:
    """What the next plan is to import: address -> id."""
    return {row.address: row.resource_id for row in of(environment, Leftover.State.IMPORTING)}


def note_held(environment: Environment, change: Change) -> int:
    """Marked ones that the state already holds by this very id: nothing is left to import. Returns how many."""
    ids = {(one.address, one.id) for one in managed(environment)}
    marked = [
        row for row in of(environment, Leftover.State.IMPORTING) if (row.address, row.resource_id) in ids
    ]
    return _imported(marked, change)


def note_imported(change: Change) -> int:
    """After an apply: those that its plan imported and the state now holds. Returns how many."""
    planned = change.proposal.facts.get("imports", {}) if change.proposal else {}
    if not planned:
        return 0
    held = {one.address for one in managed(change.environment)}
    marked = of(change.environment, Leftover.State.IMPORTING).filter(address__in=planned)
    return _imported([row for row in marked if row.address in held], change)


def managed(environment: Environment) -> tuple[StateResource, ...]:
    """The resources that the newest state holds."""
    newest = store.current(environment)
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
