"""A newer request for a front end takes the place of older ones that nobody has begun to execute."""

from __future__ import annotations

from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes import notices
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.changes.transitions import move, note_event
from environments.deployments.front_ends.models import FrontEndDeployment
from environments.models import Environment
from portal.accounts.principals import Principal

PENDING: Final = (Status.REQUESTED, Status.PROPOSING, Status.AWAITING_APPROVAL, Status.APPROVED)


def take_turns(environment: Environment) -> None:
    """Hold the environment's row: of two requests at once, one sees the other. Inside the act's transaction."""
    Environment.objects.select_for_update(no_key=True).filter(pk=environment.pk).first()


def replace_older(deployment: FrontEndDeployment, *, by: Principal) -> None:
    """Replace older pending requests for the same front end; both changes say so. After `take_turns`."""
    newer, release = deployment.change, deployment.release
    older = Change.objects.filter(
        environment=newer.environment,
        front_end__release__address=release.address,
        status__in=PENDING,
        superseded_by=None,
    ).exclude(pk=newer.pk)
    for one in older.select_for_update(of=("self",)).for_lists().order_by("pk"):
        _replace(one, newer, by=by)
        said = _("It replaces %(titles)s.") % {"titles": one.title}
        note_event(newer, by=by, action="change.supersede", detail=said, superseded=[str(one.uuid)])


def _replace(older: Change, newer: Change, *, by: Principal) -> None:
    note = _("“%(title)s”, requested by %(who)s, takes its place.") % {
        "title": newer.title,
        "who": newer.requested_by_name,
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
