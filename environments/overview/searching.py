"""One search over all rooms: each registers what it can find."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from environments.changes.models import Change
from environments.registry import Hit, registry
from portal.accounts.models import User

# One letter is in everything.
SHORTEST: Final = 2
LONGEST: Final = 200


def grouped(user: User, text: str) -> list[tuple[str, list[Hit]]]:
    """Hits by kind, in the order the rooms registered; none for a text that is too short."""
    groups: dict[str, list[Hit]] = {}
    if len(text) >= SHORTEST:
        for ask in registry.searches:
            for hit in ask(user, text):
                groups.setdefault(hit.kind, []).append(hit)
    return list(groups.items())


def page_of(change: Change) -> str:
    return reverse("changes:detail", args=[change.uuid])
