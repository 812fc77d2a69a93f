"""The one vocabulary of state: word, shape and colour together, worst first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.templatetags.times import absolute, relative, when

register = template.Library()


@dataclass(frozen=True)
class State:
    """One state of the vocabulary: its rank (0 is worst), its word, and the drawing of its shape."""

    rank: int
    word: Promise
    shape: str


STATES: Mapping[str, State] = {
    "failing": State(0, gettext_lazy("Failing"), '<rect x="1" y="1" width="10" height="10" rx="1.5"/>'),
    "attention": State(1, gettext_lazy("Needs attention"), '<path d="M6 .8 11.6 11H.4z"/>'),
    "progress": State(
        2,
        gettext_lazy("In progress"),
        '<path d="M6 .5a5.5 5.5 0 1 1 0 11z"/>'
        '<circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    ),
    "unknown": State(
        3,
        gettext_lazy("Unknown"),
        '<circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5"'
        ' stroke-dasharray="2.4 1.33"/>',
    ),
    "healthy": State(4, gettext_lazy("Healthy"), '<circle cx="6" cy="6" r="5"/>'),
    # Not a state of health: a change that ended without touching anything, a column that does not apply.
    "quiet": State(5, gettext_lazy("Nothing to show"), '<rect x="1" y="5" width="10" height="2" rx="1"/>'),
}

# Every status a change can have (design, section 1) in the words of the vocabulary.
CHANGE_STATUSES: Mapping[str, tuple[str, Promise]] = {
    "requested": ("progress", gettext_lazy("Waiting for a worker")),
    "proposing": ("progress", gettext_lazy("In progress: proposing")),
    "awaiting_approval": ("attention", gettext_lazy("Needs approval")),
    "approved": ("progress", gettext_lazy("Waiting for the start")),
    "executing": ("progress", gettext_lazy("In progress: executing")),
    "verifying": ("progress", gettext_lazy("In progress: verifying")),
    "succeeded": ("healthy", gettext_lazy("Succeeded")),
    "no_changes": ("healthy", gettext_lazy("No changes")),
    "planned": ("healthy", gettext_lazy("Planned")),
    "rejected": ("quiet", gettext_lazy("Rejected")),
    "expired": ("quiet", gettext_lazy("Expired")),
    "cancelled": ("quiet", gettext_lazy("Cancelled")),
    "superseded": ("quiet", gettext_lazy("Superseded")),
    "failed": ("failing", gettext_lazy("Failed")),
    "regressed": ("failing", gettext_lazy("Regressed")),
    "interrupted": ("failing", gettext_lazy("Interrupted")),
}


def shape(state: str) -> SafeString:
    """The drawing of a state, 12 px, hidden from screen readers because the word stands beside it."""
    return format_html(
        '<svg class="state__shape" viewBox="0 0 12 12" width="12" height="12" fill="currentColor"'
        ' aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(STATES[state].shape),  # noqa: S308 - a literal of this module
    )


def _chip(state: str, word: str, *, title: str = "", bare: bool = False) -> SafeString:
    return format_html(
        '<span class="state state--{}{}"{}>{}<span class="state__word">{}</span></span>',
        state,
        " state--bare" if bare else "",
        format_html(' title="{}"', title) if title else "",
        shape(state),
        word,
    )


@register.simple_tag
def state_chip(
    state: str,
    word: str = "",
    *,
    since: datetime | None = None,
    seen: datetime | None = None,
    reason: str = "",
    bare: bool = False,
) -> SafeString:
    """A state as shape and word. `state` is a key of STATES; `word` replaces its own word.

    `since` (for unknown) and `seen` (for healthy) put the age into the word; `reason` is shown as text
    after it; `bare` leaves out the tinted background, for table cells.
    """
    if not word:
        word = str(STATES[state].word)
        if since:
            word = _("%(state)s since %(when)s") % {"state": word, "when": relative(since)}
        elif seen:
            word = _("%(state)s, %(when)s") % {"state": word, "when": relative(seen)}
    chip = _chip(state, word, bare=bare)
    if reason:
        return format_html('<span class="state-line">{} <span class="muted">{}</span></span>', chip, reason)
    return chip


@register.simple_tag
def change_chip(status: str, waiting_for: str = "", *, bare: bool = False) -> SafeString:
    """A change's status. `waiting_for` ("security", "environment lock of #12") replaces the generic word."""
    state, word = CHANGE_STATUSES[status]
    if waiting_for and status in {"requested", "approved", "awaiting_approval"}:
        return _chip(state, _("Waiting for %(what)s") % {"what": waiting_for}, bare=bare)
    return _chip(state, str(word), bare=bare)


@register.simple_tag
def chip(verdict: Any, *, bare: bool = True) -> SafeString:
    """A verdict that a room registered: `state`, `text`, where it leads (`link`), how old it is (`at`).

    None (nothing registered for this row) is an empty string.
    """
    if not verdict:
        return SafeString("")
    html = _chip(
        verdict.state, str(verdict.text), bare=bare, title=absolute(verdict.at) if verdict.at else ""
    )
    return format_html('<a class="chip-link" href="{}">{}</a>', verdict.link, html) if verdict.link else html


@register.filter
def change_state(status: str) -> str:
    """The state key ("failing", ...) of a change's status, for classes and sorting."""
    return CHANGE_STATUSES[status][0]


@register.filter
def change_status_word(status: str) -> str:
    """A change's status as plain words, for text without markup."""
    return str(CHANGE_STATUSES[status][1])


@register.simple_tag
def age(taken_at: datetime | None, refresh_seconds: float) -> SafeString:
    """The age of a figure; past twice its refresh interval the age itself needs attention."""
    if not taken_at:
        return format_html(
            '<span class="age age--stale">{} {}</span>', shape("attention"), _("never refreshed")
        )
    if (timezone.now() - taken_at).total_seconds() <= 2 * refresh_seconds:
        return format_html('<span class="age">{}</span>', when(taken_at))
    return format_html(
        '<span class="age age--stale">{} {} {}</span>', shape("attention"), when(taken_at), _("(stale)")
    )
