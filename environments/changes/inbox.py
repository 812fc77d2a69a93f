"""What waits for a person: votes they may cast, and their own changes that wait or failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.gates import Gate, policies_in_force
from environments.changes.kinds import kind_of
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal, Vote
from environments.models import Environment
from environments.permissions import roles_by_tenant
from environments.registry import ATTENTION, FAILING, Hit, Need
from portal.accounts.models import User

RECENT = timedelta(days=3)
# More than anybody reads in one sitting.
MOST = 200


def awaiting(user: User) -> list[Change]:
    """Changes on which this person may cast a vote now, oldest first: what `can_approve` says of each.

    Every page counts these for its navigation, so all of them are judged in a fixed number of queries.
    """
    rows = Change.objects.visible_to(user).filter(status=Status.AWAITING_APPROVAL, proposal__isnull=False)
    found = list(rows.exclude(requested_by=user).for_lists().order_by("created_at")[:MOST])
    roles = roles_by_tenant(user, {change.environment.tenant_id for change in found})
    gates = policies_in_force(change.environment for change in found)
    found = [
        change
        for change in found
        if roles[change.environment.tenant_id] & _wanted(change, gates[change.environment_id])
    ]
    given = Vote.objects.standing().filter(user=user, proposal__change__in=found)
    approved = set(
        given.filter(decision=Vote.Decision.APPROVE).values_list("proposal__change_id", "proposal__digest")
    )
    found = [change for change in found if (change.pk, _proposal(change).digest) not in approved]
    barred: set[int] = set()
    for name in {change.kind for change in found}:
        alike = [change for change in found if change.kind == name]
        barred |= kind_of(alike[0]).conflicted_among(alike, user)
    return [change for change in found if change.pk not in barred]


def _proposal(change: Change) -> Proposal:
    assert change.proposal is not None
    return change.proposal


def _wanted(change: Change, gates: Sequence[Gate]) -> set[str]:
    """The roles that the current proposal's gates ask for."""
    return {role for gate in gates if gate.asks(_proposal(change).facts) for role in gate.roles}


def count(user: User) -> int:
    return len(awaiting(user))


def _need(change: Change, state: str, verb: str, detail: str) -> Need:
    return Need(
        title=change.title,
        detail=detail,
        link=reverse("changes:detail", args=[change.uuid]),
        state=state,
        at=change.finished_at or change.created_at,
        verb=verb,
    )


def needs(user: User) -> Iterator[Need]:
    """Votes first, then the person's own: to be started, failed of late."""
    for change in awaiting(user):
        yield _need(change, ATTENTION, _("Review"), change.summary or change.reason)
    mine = Change.objects.filter(requested_by=user).for_lists()
    for change in mine.filter(status=Status.APPROVED, start="manual", start_pressed_at=None):
        yield _need(change, ATTENTION, _("Start"), _("Approved; waits for you to press Start."))
    since = timezone.now() - RECENT
    bad = [Status.FAILED, Status.INTERRUPTED, Status.REGRESSED]
    better = Change.objects.filter(
        environment=OuterRef("environment"),
        kind=OuterRef("kind"),
        status=Status.SUCCEEDED,
        finished_at__gt=OuterRef("finished_at"),
    )
    failed = mine.filter(~Exists(better), status__in=bad, finished_at__gt=since)
    for change in failed.order_by("-finished_at")[:20]:
        yield _need(change, FAILING, _("Look"), change.error_message.partition("\n")[0])


def pending(environment: Environment) -> Iterable[tuple[str, str, int]]:
    """Open changes of an environment, for the page that makes a newer definition."""
    for change in Change.objects.filter(environment=environment).open().select_related("proposal"):
        base = change.proposal.base if change.proposal else {}
        number = base.get("definition", 0)
        yield change.title, reverse("changes:detail", args=[change.uuid]), int(number)


def retire_blockers(environment: Environment) -> Iterable[str]:
    for change in Change.objects.filter(environment=environment).open():
        yield _("“%(title)s” is still open: finish or cancel it first.") % {"title": change.title}


def search(user: User, text: str) -> Iterable[Hit]:
    found = Change.objects.visible_to(user).filter(
        Q(title__icontains=text) | Q(ticket__icontains=text) | Q(reason__icontains=text)
    )
    for change in found.for_lists()[:10]:
        yield Hit(
            _("Change"),
            change.title,
            f"{change.environment} · {Status(change.status).label}",
            reverse("changes:detail", args=[change.uuid]),
        )
