"""Who hears of a change, where, and in which words. Messages are rows; delivery is apart."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from environments.changes.abilities import barred_voters
from environments.changes.gates import asked
from environments.changes.kinds import kind_of
from environments.changes.models import Change
from environments.models import Membership, Role
from portal.accounts.models import User
from portal.notifications.outbox import send

# event -> (sentence, who hears of it by e-mail)
EVENTS: Final = {
    "awaiting_approval": ("%(title)s awaits approval", "voters"),
    "asked_again": ("%(title)s has to be approved again", "both"),
    "approved": ("%(title)s is approved", "requester"),
    "rejected": ("%(title)s was rejected by %(by)s", "requester"),
    "cancelled": ("%(title)s was cancelled", "requester"),
    "superseded": ("%(title)s was replaced by a newer request of %(by)s", "requester"),
    "expired": ("%(title)s expired without a decision", "requester"),
    "failed": ("%(title)s failed", "requester"),
    "interrupted": ("%(title)s was interrupted", "requester"),
    "regressed": ("%(title)s did not come out as approved", "requester"),
    "succeeded": ("%(title)s succeeded", "requester"),
    "break_glass": ("%(by)s started %(title)s without approval", "alarm"),
    "reviewed": ("%(by)s reviewed the start of %(title)s without approval", "alarm"),
    "question": ("%(by)s asks about %(title)s", "both"),
}


# After these somebody may have to act: the message says what is there now.
ENDED_BADLY: Final = frozenset({"failed", "regressed", "cancelled", "interrupted"})


def address_of(change: Change) -> str:
    """The page's full address; sign-in keeps it."""
    base: str = settings.PUBLIC_URL
    return base + reverse("changes:detail", args=[change.uuid])


def announce(change: Change, event: str, *, by: str = "", comment: str = "") -> None:
    """Queue the messages of one event, in the transaction of the move that caused it."""
    if event not in EVENTS:
        return
    sentence, audience = EVENTS[event]
    subject = f"[{change.environment}] " + _(sentence) % {"title": change.title, "by": by}
    text = "\n".join(
        line
        for line in (
            change.summary,
            f"{change.requested_by_name}: {change.reason}" if change.reason else "",
            comment,
            change.error_message.partition("\n")[0],
            kind_of(change).news(change) if event in ENDED_BADLY else "",
        )
        if line
    )
    key = f"{change.uuid}:{change.version}:{event}"
    if event == "question":
        key = f"{key}:{change.comments.count()}"
    if settings.SLACK_WEBHOOK_URL:
        send(
            channel="slack",
            address=settings.SLACK_WEBHOOK_URL,
            subject=subject,
            text=text,
            link=address_of(change),
            dedupe_key=f"{key}:slack",
        )
    for user in _listeners(change, audience):
        send(
            channel="email",
            address=user.email,
            subject=subject,
            text=text,
            link=address_of(change),
            dedupe_key=f"{key}:{user.pk}",
        )


def _listeners(change: Change, audience: str) -> list[User]:
    """People with an address: those who may vote, or the requester."""

    ids: set[int] = set()
    if audience in {"requester", "both"} and change.requested_by_id:
        ids.add(change.requested_by_id)
    if audience in {"voters", "both"} and change.proposal is not None:
        gates = asked(change.environment, change.proposal.facts)
        roles = {role for gate in gates for role in gate.roles}
        held = Membership.objects.filter(tenant=change.environment.tenant, role__in=roles)
        ids |= set(held.values_list("user_id", flat=True)) - set(barred_voters(change))
    if audience == "alarm":
        ids |= _alarmed(change)
    return list(User.objects.filter(pk__in=ids, is_active=True).exclude(email=""))


def _alarmed(change: Change) -> set[int]:
    """Everybody who hears of a start without votes: requester, all whom the gates ask, all administrators."""
    facts = change.proposal.facts if change.proposal else {}
    roles = {role for gate in asked(change.environment, facts) for role in gate.roles} | {Role.ADMIN.value}
    held = Membership.objects.filter(tenant=change.environment.tenant, role__in=roles)
    people = {change.requested_by_id, change.break_glass_by_id}
    people |= set(held.values_list("user_id", flat=True))
    people |= set(User.objects.portal_admins().values_list("pk", flat=True))
    return {pk for pk in people if pk is not None}
