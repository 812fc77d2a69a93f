"""What other pages say of leftovers: who is needed, the environment's card, its chip, why it cannot be retired."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.models import Environment
from environments.permissions import refusal, roles_by_tenant
from environments.registry import FAILING, Need
from environments.runs.leftovers import rows as leftovers
from environments.runs.models import Leftover
from portal.accounts.models import User


def undecided(environments: Collection[int]) -> dict[int, int]:
    """How many are to be decided, by environment (primary key), in one query."""
    rows = Leftover.objects.filter(environment_id__in=environments, state=Leftover.State.OPEN)
    counted = rows.order_by().values("environment_id").annotate(n=Count("pk"))
    return {row["environment_id"]: row["n"] for row in counted}


def link_of(row: Leftover) -> str:
    return reverse("changes:detail", args=[row.change.uuid]) + "#leftovers"


def needs(user: User) -> Iterator[Need]:
    """One entry a change that left something, for those who may decide about it."""
    rows = Leftover.objects.filter(state=Leftover.State.OPEN).select_related("change__environment__tenant")
    if not user.is_portal_admin:
        rows = rows.filter(environment__tenant_id__in=user.memberships.values("tenant_id"))
    by_change: dict[int, list[Leftover]] = {}
    for row in rows:
        by_change.setdefault(row.change_id, []).append(row)
    roles = roles_by_tenant(user, {found[0].change.environment.tenant_id for found in by_change.values()})
    for found in by_change.values():
        change = found[0].change
        if refusal(roles[change.environment.tenant_id], "leftover.settle"):
            continue
        yield Need(
            title=_counted(len(found)) % {"n": len(found), "environment": change.environment},
            detail=_("“%(title)s” ended early. Import or dismiss: %(names)s")
            % {"title": change.title, "names": leftovers.names(row.address for row in found)},
            link=link_of(found[0]),
            state=FAILING,
            at=change.finished_at or change.created_at,
            verb=_("Decide"),
        )


def _counted(number: int) -> str:
    return ngettext(
        "%(n)s resource of %(environment)s is in no state",
        "%(n)s resources of %(environment)s are in no state",
        number,
    )


def card(environment: Environment, user: User) -> dict[str, Any]:
    """Context of templates/runs/_leftovers_card.html: nothing left, no card."""
    rows = list(leftovers.of(environment))
    if not rows:
        return {}
    waiting = [row for row in rows if row.state == Leftover.State.OPEN]
    shown = waiting or rows
    return {
        "rows": shown[: leftovers.NAMED],
        "rest": max(len(shown) - leftovers.NAMED, 0),
        "undecided": len(waiting),
        "marked": len(rows) - len(waiting),
        "link": link_of(shown[0]),
        "title": shown[0].change.title,
    }


def retire_blockers(environment: Environment) -> Iterable[str]:
    rows = list(leftovers.of(environment))
    if rows:
        yield _("An interrupted run left resources in no state: import or dismiss %(names)s.") % {
            "names": leftovers.names(row.address for row in rows)
        }
