"""What this room adds to others, and its part in the scheduler."""

from __future__ import annotations

from django.conf import settings

from environments.changes.kinds import register as register_kind


def register() -> None:
    from environments.changes import cards, departures, dispatch, inbox, policies, reviews, sweeper
    from environments.registry import Card, Tab, registry
    from portal.accounts.hooks import hooks
    from portal.scheduler.registry import periodic

    register_kind(policies.ApprovalPolicyKind())
    periodic("changes.sweep", settings.SWEEP_SECONDS, urgent=True)(sweeper.sweep)
    hooks.on_departure.append(departures.depart)
    registry.on_role_lost.append(departures.lose_role)
    registry.on_released.append(dispatch.dispatch_waiting)
    registry.needs += [inbox.needs, reviews.needs]
    registry.inbox_count = lambda user: inbox.count(user) + reviews.count(user)
    registry.pending.append(inbox.pending)
    registry.retire_blockers.append(inbox.retire_blockers)
    registry.searches.append(inbox.search)
    registry.cards.append(Card("reviews", 5, "changes/_debts.html", reviews.card))
    registry.cards.append(Card("changes", 10, "changes/_card.html", cards.latest))
    registry.tabs.append(Tab("changes", "Changes", 30, "changes:of_environment"))
