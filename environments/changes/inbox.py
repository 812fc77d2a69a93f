"""What waits for a person: votes they may cast, and their own changes that wait or failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.abilities import can_approve
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import roles_of
from environments.registry import ATTENTION, FAILING, Hit, Need
from portal.accounts.models import User

RECENT = timedelta(days=3)


def awaiting(user: User) -> list[Change]:
    """Changes on which this person may cast a vote now, oldest first."""
    rows = Change.objects.visible_to(user).filter(status=Status.AWAITING_APPROVAL).for_lists()
    roles: dict[int, frozenset[str]] = {}
    found = []
    for change in rows.order_by("created_at")[:200]:
        tenant = change.environment.tenant
        held = roles.setdefault(tenant.pk, roles_of(user, tenant))
        if can_approve(change, user, held).allowed:
            found.append(change)
    return found


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
    bad = Q(status__in=[Status.FAILED, Status.INTERRUPTED, Status.REGRESSED], finished_at__gt=since)
    for change in mine.filter(bad).order_by("-finished_at")[:20]:
        newer = Change.objects.filter(
            environment=change.environment,
            kind=change.kind,
            status=Status.SUCCEEDED,
            finished_at__gt=change.finished_at,
        )
        if not newer.exists():
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
