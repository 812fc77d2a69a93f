"""Small plots as plain geometry: bars of counts, dots of durations. Templates draw them, a table says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from environments.deployments.history.dora import Dora, Sample
from environments.deployments.history.facts import Fact
from portal.core.templatetags.times import duration

WIDTH, HEIGHT, TOP, BOTTOM = 280, 72, 6, 60
BUCKETS: Final = 13


@dataclass(frozen=True)
class Mark:
    """One bar or dot; `words` are its title and its row of the table."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    words: str


@dataclass(frozen=True)
class Plot:
    """Marks on an axis from `first` to `last`, counting from zero to `highest`."""

    kind: str  # bars, dots
    label: str
    marks: list[Mark]
    highest: str
    first: str
    last: str
    rows: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT
    bottom: int = BOTTOM


def deployments(dora: Dora) -> Plot:
    """Deployments by stretches of the time: those that came through below, those that went wrong above."""
    edges = _edges(dora)
    bad = {one.pk for one in dora.failures}
    good_rows = [one for one in dora.successes if one.pk not in bad]
    good, wrong = _counted(good_rows, edges), _counted(dora.failures, edges)
    highest = max([1, *(one + other for one, other in zip(good, wrong, strict=True))])
    unit, step = (BOTTOM - TOP) / highest, WIDTH / len(good)
    marks: list[Mark] = []
    rows: list[tuple[str, str]] = []
    for number, (fine, failed) in enumerate(zip(good, wrong, strict=True)):
        span = f"{day(edges[number])} – {day(edges[number + 1])}"
        words = _("%(good)s came through, %(bad)s went wrong") % {"good": fine, "bad": failed}
        rows.append((span, words))
        y = float(BOTTOM)
        for count, tone in ((fine, "good"), (failed, "bad")):
            if count:
                y -= count * unit
                marks.append(
                    Mark(
                        round(number * step + 1, 1),
                        round(y, 1),
                        round(step - 2, 1),
                        round(count * unit, 1),
                        tone,
                        f"{span}: {words}",
                    )
                )
    return Plot("bars", _("Deployments"), marks, str(highest), day(edges[0]), day(edges[-1]), rows)


def times(dora: Dora, samples: Sequence[Sample], label: str) -> Plot:
    """A dot for each measured time, over when it ended."""
    whole = (dora.until - dora.since).total_seconds()
    longest = max([1.0, *(one.seconds for one in samples)])
    marks: list[Mark] = []
    rows: list[tuple[str, str]] = []
    for one in samples:
        x = 4 + (WIDTH - 8) * min(1.0, max(0.0, (one.at - dora.since).total_seconds() / whole))
        y = BOTTOM - (BOTTOM - TOP) * one.seconds / longest
        words = f"{duration(one.seconds)} · {one.fact.title}"
        marks.append(Mark(round(x, 1), round(y, 1), 6, 6, "time", f"{day(one.at)}: {words}"))
        rows.append((day(one.at), words))
    top = duration(longest) if samples else ""
    return Plot("dots", label, marks, top, day(dora.since), day(dora.until), rows)


def day(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "j M")


def _edges(dora: Dora) -> list[datetime]:
    step = (dora.until - dora.since) / BUCKETS
    return [dora.since + number * step for number in range(BUCKETS)] + [dora.until]


def _counted(facts: Sequence[Fact], edges: Sequence[datetime]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    step = (edges[-1] - edges[0]) / len(counts)
    for fact in facts:
        place = int((fact.ended_at - edges[0]) / (step or timedelta(seconds=1)))
        if 0 <= place <= len(counts):
            counts[min(place, len(counts) - 1)] += 1
    return counts
