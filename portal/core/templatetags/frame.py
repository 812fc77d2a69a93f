"""The frame around every page: navigation, theme, query strings of the current page."""

from collections.abc import Mapping
from dataclasses import dataclass

from django import template
from django.template import Context
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

register = template.Library()

THEMES = ("light", "dark")
THEME_COOKIE = "gatehouse_theme"


@dataclass(frozen=True)
class Place:
    """One place of the navigation. Its path is public: notifications and bookmarks point there."""

    key: str
    label: Promise
    icon: str
    path: str
    on_phone: bool = False


PLACES = (
    Place("overview", gettext_lazy("Overview"), "outline/layout-dashboard", "/", on_phone=True),
    Place("inbox", gettext_lazy("Inbox"), "outline/inbox", "/inbox/", on_phone=True),
    Place("tenants", gettext_lazy("Tenants"), "outline/building-community", "/tenants/", on_phone=True),
    Place("blueprints", gettext_lazy("Blueprints"), "outline/stack-2", "/blueprints/"),
    Place("activity", gettext_lazy("Activity"), "outline/history", "/activity/"),
    Place("settings", gettext_lazy("Settings"), "outline/settings", "/settings/"),
)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[dict[str, object]]:
    """The places, each with its count (or None) and whether the page belongs to it.

    A page names its place in the context variable `section`; without one its path decides.
    """
    section = context.get("section") or _section_of(getattr(context.get("request"), "path", ""))
    counts = _counts(context.get("nav_counts"))
    return [
        {"place": place, "count": counts.get(place.key) or None, "current": place.key == section}
        for place in PLACES
    ]


def _section_of(path: str) -> str:
    if path == "/":
        return "overview"
    if path.startswith("/accounts/"):
        return "settings"
    return next((place.key for place in PLACES[1:] if path.startswith(place.path)), "")


def _counts(given: object) -> Mapping[str, int]:
    """The frame gives a number (the inbox), a mapping, or a callable asked when the page is drawn."""
    value = given() if callable(given) else given
    if isinstance(value, Mapping):
        return value
    return {"inbox": value} if isinstance(value, int) else {}


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme chosen in the cookie ("light", "dark") or "" for the system's: the first paint is right."""
    request = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request is not None else ""
    return chosen if chosen in THEMES else ""
