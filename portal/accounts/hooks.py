"""What rooms above add to people's pages and acts, without this room knowing them.

They set these from their AppConfig.ready(); readers ask at request time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.accounts.models import User
    from portal.accounts.principals import Principal
    from portal.accounts.querysets import UserQuerySet


@dataclass(frozen=True)
class Panel:
    """A fragment on one person's page: a template and its context (request, person)."""

    key: str
    order: int
    template: str
    context: Callable[[HttpRequest, User], dict[str, Any]]


def only_oneself(people: UserQuerySet, user: User) -> UserQuerySet:
    """Until a room says who works with whom, a person sees nobody but themselves."""
    return people.filter(pk=user.pk)


@dataclass
class Hooks:
    # Narrows `people` to those this person may know of: colleagues of a tenant. Portal admins see all.
    visible_people: Callable[[UserQuerySet, User], UserQuerySet] = only_oneself
    # One line per person (by primary key) for the people list, for all rows in a constant number of queries.
    summaries: Callable[[Sequence[User]], dict[int, str]] = lambda people: {}
    # Further parts of a person's page, such as their memberships.
    panels: list[Panel] = field(default_factory=list)
    # Called inside the transaction that deactivates a person: open votes end with them.
    on_departure: list[Callable[[Principal, User], None]] = field(default_factory=list)

    def sorted_panels(self) -> list[Panel]:
        return sorted(self.panels, key=lambda panel: panel.order)


hooks: Final = Hooks()
