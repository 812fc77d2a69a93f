"""What rooms above add to people's pages and acts, without this room knowing them.

They set these from their AppConfig.ready(); readers ask at request time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

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


@dataclass(frozen=True)
class SettingsTab:
    """A page among the settings: `url_name` takes no arguments; `open_to` says who sees the tab."""

    key: str
    order: int
    label: _StrPromise
    url_name: str
    open_to: Callable[[User], bool] = lambda user: True

    def path(self) -> str:
        return reverse(self.url_name)


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
    # Further pages of the settings, such as AWS accounts.
    settings_tabs: list[SettingsTab] = field(default_factory=list)
    # Called inside the transaction that deactivates a person: open votes end with them.
    on_departure: list[Callable[[Principal, User], None]] = field(default_factory=list)

    def sorted_panels(self) -> list[Panel]:
        return sorted(self.panels, key=lambda panel: panel.order)


hooks: Final = Hooks()

OWN_TABS: Final = (
    SettingsTab("profile", 10, gettext_lazy("Profile"), "accounts:profile"),
    SettingsTab("password", 20, gettext_lazy("Password"), "accounts:password"),
    SettingsTab("tokens", 30, gettext_lazy("API tokens"), "accounts:tokens"),
    SettingsTab("people", 40, gettext_lazy("People"), "accounts:people", lambda user: user.is_portal_admin),
)


def settings_tabs_for(user: User) -> list[SettingsTab]:
    """The settings this person may open, in order."""
    tabs = sorted([*OWN_TABS, *hooks.settings_tabs], key=lambda tab: tab.order)
    return [tab for tab in tabs if tab.open_to(user)]
