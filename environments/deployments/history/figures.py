"""The four figures in words, each with its plot and a table of the same, for pages and API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.deployments.history import dora, plots
from environments.deployments.history.dora import Dora, Sample
from environments.deployments.history.facts import gather
from environments.deployments.history.plots import Plot
from environments.deployments.models import DeploymentPart
from portal.core.templatetags.times import duration


@dataclass(frozen=True)
class Figure:
    """One figure: its value in words ("not known" where it is not), what it rests on, its plot."""

    key: str
    title: str
    value: str
    known: bool
    note: str
    plot: Plot


def measured(parts: QuerySet[DeploymentPart], days: int, now: datetime | None = None) -> Dora:
    """The figures of these parts over the last so many days."""
    until = now or timezone.now()
    since = until - timedelta(days=days)
    return dora.figures(gather(parts, since), since, until)


def figures(found: Dora, days: int) -> list[Figure]:
    return [_frequency(found, days), _lead(found), _failures(found, days), _restore(found)]


def _frequency(found: Dora, days: int) -> Figure:
    count = len(found.successes)
    value, note = _("not known"), _("Nothing was deployed from here yet.")
    if found.per_week is not None:
        value = ngettext("%(n)s deployment", "%(n)s deployments", count) % {"n": count}
        note = _("in %(days)s days: %(rate)s a week") % {
            "days": round(min(found.days, days)),
            "rate": f"{found.per_week:.1f}",
        }
    return Figure(
        "frequency", _("How often"), value, found.per_week is not None, note, plots.deployments(found)
    )


def _lead(found: Dora) -> Figure:
    count = len(found.lead_times)
    note = _("No new image came into force in this time.")
    if count:
        note = ngettext(
            "median of %(n)s new image, from when it was made to its success: %(sources)s",
            "median of %(n)s new images, from when each was made to its success: %(sources)s",
            count,
        ) % {"n": count, "sources": _sources(found.lead_times)}
    plot = plots.times(found, found.lead_times, _("Lead times"))
    return Figure("lead_time", _("How fast"), _time(found.lead_seconds), bool(count), note, plot)


def _sources(samples: list[Sample]) -> str:
    words = {
        "created": _("%(n)s by the image's label"),
        "pushed": _("%(n)s by its push"),
        "requested": _("%(n)s only from the first request"),
    }
    counted = Counter(one.source for one in samples)
    return ", ".join(words[name] % {"n": counted[name]} for name in words if counted[name])


def _failures(found: Dora, days: int) -> Figure:
    rate = found.failure_rate
    value = _("not known") if rate is None else f"{round(100 * rate)} %"
    note = _("Nothing was deployed in this time.")
    if rate is not None:
        note = _("%(bad)s of %(all)s did not come through or were rolled back") % {
            "bad": len(found.failures),
            "all": found.attempts,
        }
    return Figure(
        "failure_rate", _("How often it went wrong"), value, rate is not None, note, plots.deployments(found)
    )


def _restore(found: Dora) -> Figure:
    count = len(found.restores)
    notes = []
    if count:
        text = ngettext("median of %(n)s failure", "median of %(n)s failures", count)
        notes.append(text % {"n": count})
    if found.unrestored:
        text = ngettext("%(n)s is not restored yet", "%(n)s are not restored yet", len(found.unrestored))
        notes.append(text % {"n": len(found.unrestored)})
    note = "; ".join(notes) or _("Nothing went wrong in this time, or nothing was deployed.")
    plot = plots.times(found, found.restores, _("Times to restore"))
    return Figure(
        "restore", _("How fast it was right again"), _time(found.restore_seconds), bool(count), note, plot
    )


def _time(seconds: float | None) -> str:
    return _("not known") if seconds is None else duration(seconds)


def plain(found: Dora, days: int) -> dict[str, Any]:
    """The figures for the API; null is "not known"."""
    return {
        "days": days,
        "recorded_since": found.recorded_since,
        "deployments": len(found.successes) if found.per_week is not None else None,
        "per_week": found.per_week,
        "lead_time_seconds": found.lead_seconds,
        "lead_time_samples": len(found.lead_times),
        "failure_rate": found.failure_rate,
        "failures": len(found.failures) if found.failure_rate is not None else None,
        "attempts": found.attempts,
        "restore_seconds": found.restore_seconds,
        "restore_samples": len(found.restores),
        "not_restored": len(found.unrestored),
    }
