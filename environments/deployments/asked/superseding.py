"""A newer request for a service takes the place of older ones that nobody has begun to execute.

What they would put in its place would be out of date by then: two requests for one service, approved in the
wrong order, would leave the older image running.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import notices
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.changes.transitions import move, note_event
from environments.deployments.asked import titles
from environments.deployments.models import Act, Deployment
from environments.models import Environment
from portal.accounts.principals import Principal

# An image and settings alter one task definition; the other acts replace only their own.
NATURES: Final[Mapping[str, frozenset[str]]] = {
    Act.DEPLOY: frozenset({Act.DEPLOY, Act.CONFIGURE}),
    Act.CONFIGURE: frozenset({Act.DEPLOY, Act.CONFIGURE}),
    Act.RESTART: frozenset({Act.RESTART}),
    Act.SCALE: frozenset({Act.SCALE}),
    Act.ROLLBACK: frozenset({Act.ROLLBACK}),
}
PENDING: Final = (Status.REQUESTED, Status.PROPOSING, Status.AWAITING_APPROVAL, Status.APPROVED)


def take_turns(environment: Environment) -> None:
    """Hold the environment's row: of two requests at once, one sees the other. Inside the act's transaction."""
    Environment.objects.select_for_update(no_key=True).filter(pk=environment.pk).first()


def replace_older(deployment: Deployment, *, by: Principal) -> list[Change]:
    """Replace older pending requests of the same nature for the same services; both changes say so.

    Inside the request's own transaction, after its parts are written and `take_turns`.
    """
    newer = deployment.change
    mine = set(deployment.parts.values_list("service_arn", flat=True))
    replaced = list(_older(deployment, mine))
    for older in replaced:
        _replace(older, newer, mine, by=by)
    if replaced:
        note_event(
            newer,
            by=by,
            action="change.supersede",
            detail=_("It replaces %(titles)s.") % {"titles": titles.listed([one.title for one in replaced])},
            superseded=[str(one.uuid) for one in replaced],
        )
    return replaced


def _older(deployment: Deployment, services: set[str]) -> QuerySet[Change]:
    mine = deployment.change
    parts = Deployment.objects.filter(
        parts__service_arn__in=services, act__in=NATURES[deployment.act], change__status__in=PENDING
    )
    rows = Change.objects.filter(environment=mine.environment, deployment__in=parts).exclude(pk=mine.pk)
    return rows.filter(superseded_by=None).select_for_update(of=("self",)).for_lists().order_by("pk")


def _replace(older: Change, newer: Change, mine: set[str], *, by: Principal) -> None:
    note = _("“%(title)s”, requested by %(who)s, takes its place.") % {
        "title": newer.title,
        "who": newer.requested_by_name,
    }
    left = [part.service for part in older.deployment.parts.all() if part.service_arn not in mine]
    if left:
        note = f"{note} " + _("It asked for %(names)s as well; request that anew if it is still wanted.") % {
            "names": titles.listed(left)
        }
    now = timezone.now()
    if older.status == Status.PROPOSING:
        # Somebody is at it: they end it as soon as they look.
        older.superseded_by, older.cancel_requested_at, older.cancel_requested_by = newer, now, by.name
        older.save(update_fields=["superseded_by", "cancel_requested_at", "cancel_requested_by"])
        note_event(older, by=by, action="change.superseded", detail=note, by_change=str(newer.uuid))
        return
    to = Status.CANCELLED if older.status == Status.REQUESTED else Status.SUPERSEDED
    move(
        older,
        to,
        by=by,
        action="change.superseded",
        note=note,
        superseded_by=newer,
        finished_at=now,
        due_at=None,
    )
    notices.announce(older, "superseded", by=newer.requested_by_name, comment=note)
