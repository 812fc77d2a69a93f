"""Moments and durations: how long ago, and the absolute time in the reader's zone and UTC."""

import json
from datetime import UTC, datetime, timedelta

from django import template
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

# The steps of a relative time: up to which age, length of the unit, past wording, future wording.
# The browser gets the same words (browser_words), so that a refreshed time reads like a served one.
STEPS: tuple[tuple[int, int, Promise, Promise], ...] = (
    (60, 1, gettext_lazy("%(n)s s ago"), gettext_lazy("in %(n)s s")),
    (3600, 60, gettext_lazy("%(n)s min ago"), gettext_lazy("in %(n)s min")),
    (48 * 3600, 3600, gettext_lazy("%(n)s h ago"), gettext_lazy("in %(n)s h")),
    (60 * 86400, 86400, gettext_lazy("%(n)s days ago"), gettext_lazy("in %(n)s days")),
    (730 * 86400, 30 * 86400, gettext_lazy("%(n)s months ago"), gettext_lazy("in %(n)s months")),
    (0, 365 * 86400, gettext_lazy("%(n)s years ago"), gettext_lazy("in %(n)s years")),
)
JUST_NOW_SECONDS = 10


def relative(moment: datetime, now: datetime | None = None) -> str:
    """ "12 min ago" or "in 3 h", seen from `now` (default: this moment)."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    age = abs(seconds)
    if age < JUST_NOW_SECONDS:
        return _("just now")
    for limit, unit, past, future in STEPS:
        if age < limit or not limit:
            return str(past if seconds > 0 else future) % {"n": int(age // unit)}
    raise AssertionError("the last step has no limit")


def absolute(moment: datetime, *, seconds: bool = False) -> str:
    """The moment in the reader's zone and in UTC: "Fri 20 Nov 2026, 21:14 KST (12:14 UTC)"."""
    clock = "H:i:s" if seconds else "H:i"
    local = timezone.localtime(moment)
    utc = moment.astimezone(UTC)
    text = f"{formats.date_format(local, 'D j M Y')}, {formats.date_format(local, clock)}"
    if local.utcoffset() == timedelta(0):
        return f"{text} UTC"
    utc_clock = formats.date_format(utc, clock)
    if utc.date() != local.date():
        utc_clock = f"{formats.date_format(utc, 'D j M')}, {utc_clock}"
    return f"{text} {_zone_name(local)} ({utc_clock} UTC)"


def _zone_name(local: datetime) -> str:
    """ "KST", or "UTC+5:45" for the zones that have no letters of their own."""
    name = local.tzname() or ""
    if name and name[0] not in "+-":
        return name
    minutes = int((local.utcoffset() or timedelta(0)).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


@register.simple_tag
def when(moment: datetime | None, form: str = "relative") -> SafeString:
    """A <time>. `form`: "relative" (absolute on hover and in print), "absolute", "both", "seconds" (logs).

    None reads "never".
    """
    if not moment:  # a template passes "" for what is not there
        return format_html('<span class="muted">{}</span>', _("never"))
    iso = moment.astimezone(UTC).isoformat(timespec="seconds")
    full = absolute(moment, seconds=form == "seconds")
    if form in {"absolute", "seconds"}:
        return format_html('<time class="when" datetime="{}">{}</time>', iso, full)
    short = format_html(
        '<time class="when" datetime="{}" title="{}" data-relative>{}</time>', iso, full, relative(moment)
    )
    if form == "both":
        return format_html('{} <span class="muted when__absolute">· {}</span>', short, full)
    if form == "relative":
        return short
    raise template.TemplateSyntaxError(f"when: unknown form {form!r}")


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Seconds or a timedelta as "40 s", "2 min 5 s", "3 h 10 min", "4 days 2 h"; None is empty."""
    if value is None:
        return ""
    total = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if total < 0:
        return f"-{duration(-total)}"
    days, rest = divmod(total, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return _("%(days)s days %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s s") % {"seconds": seconds}


@register.simple_tag
def elapsed(since: datetime, until: datetime | None = None) -> SafeString:
    """How long something took or, without `until`, has been taking: the browser then counts on."""
    if until:
        return format_html('<span class="num">{}</span>', duration(until - since))
    iso = since.astimezone(UTC).isoformat(timespec="seconds")
    text = duration(max(timedelta(0), timezone.now() - since))
    return format_html('<time class="num" datetime="{}" data-elapsed>{}</time>', iso, text)


@register.simple_tag
def browser_words() -> str:
    """The sentences our scripts say, as JSON for a data attribute: translated like all others."""
    return json.dumps(
        {
            "now": _("just now"),
            "steps": [[limit, unit, str(past), str(future)] for limit, unit, past, future in STEPS],
            "seconds": _("%(seconds)s s"),
            "minutes": _("%(minutes)s min %(seconds)s s"),
            "hours": _("%(hours)s h %(minutes)s min"),
            "days": _("%(days)s days %(hours)s h"),
            "copied": _("Copied"),
            "copyFailed": _("Could not copy. Select the text and copy it by hand."),
            "offline": _("The portal does not answer. What you see may be old; trying again."),
            "online": _("The portal answers again."),
            "failed": _("That did not work. Nothing was changed."),
            "dismiss": _("Dismiss"),
            "unsaved": _("You have changes that are not saved."),
            "logMatches": _("%(n)s matches"),
            "logErrors": _("%(n)s errors"),
            "logEnd": _("End of the log"),
            "logWaiting": _("Waiting for more lines"),
            "logMore": _("Load more lines"),
            "logSearching": _("Searching …"),
            "logSearchOn": _("%(n)s matches up to line %(line)s of %(lines)s"),
            "logCut": _("… this line has %(n)s characters; the whole log has them all"),
            "logBetween": _("Lines %(first)s to %(last)s of %(lines)s"),
            "movedOn": _("This changed while you were about to confirm. Read it again first."),
            "logDenied": _("The log can no longer be read: you signed out or lost access. Reload the page."),
            "lineLink": _("Copy the link to line %(n)s"),
        }
    )
