"""The four figures of delivery (DORA): how often, how fast, how often it went wrong, how fast it was right again.

Each figure is None where nothing is known; none of them is ever zero for want of data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from environments.deployments.history.facts import Fact, Facts

DAYS: Final = (30, 90)


@dataclass(frozen=True)
class Sample:
    """One measured time: when it ended, how many seconds it took, of which deployment."""

    at: datetime
    seconds: float
    fact: Fact
    source: str = ""


@dataclass(frozen=True)
class Dora:
    """The figures of one stretch of time. `days` is how much of it is recorded."""

    since: datetime
    until: datetime
    recorded_since: datetime | None
    successes: list[Fact] = field(default_factory=list)
    failures: list[Fact] = field(default_factory=list)
    lead_times: list[Sample] = field(default_factory=list)
    restores: list[Sample] = field(default_factory=list)
    unrestored: list[Fact] = field(default_factory=list)

    @property
    def days(self) -> float:
        """Days of the stretch since anything is recorded, at least one."""
        begin = max(self.since, self.recorded_since) if self.recorded_since else self.until
        return max(1.0, (self.until - begin) / timedelta(days=1))

    @property
    def per_week(self) -> float | None:
        """Deployments that came out as approved, a week; None while nothing was ever deployed."""
        return None if self.recorded_since is None else 7 * len(self.successes) / self.days

    @property
    def lead_seconds(self) -> float | None:
        return median(one.seconds for one in self.lead_times) if self.lead_times else None

    @property
    def attempts(self) -> int:
        """Deployments that began: those that came through, whether undone later or not, and those that did not."""
        return len({one.pk for one in (*self.successes, *self.failures)})

    @property
    def failure_rate(self) -> float | None:
        """From 0 to 1; None when nothing was deployed in this time."""
        return len(self.failures) / self.attempts if self.attempts else None

    @property
    def restore_seconds(self) -> float | None:
        return median(one.seconds for one in self.restores) if self.restores else None


def figures(facts: Facts, since: datetime, until: datetime) -> Dora:
    """The four figures of what ended between the two moments."""
    successes = [fact for fact in facts.rows if fact.succeeded and fact.is_forward]
    undone, by_rollback = _undone(facts)
    failed = [fact for fact in facts.rows if fact.is_forward and not fact.succeeded]
    restores, open_ones = _restores(facts, failed)
    return Dora(
        since=since,
        until=until,
        recorded_since=facts.recorded_since,
        successes=successes,
        failures=sorted(
            [*failed, *(one for one in undone if one.ended_at >= since)],
            key=lambda one: (one.ended_at, one.pk),
        ),
        lead_times=_lead_times(successes, facts),
        restores=sorted([*restores, *by_rollback], key=lambda one: one.at),
        unrestored=open_ones,
    )


def _lead_times(successes: Sequence[Fact], facts: Facts) -> list[Sample]:
    """From the image's making to its first success on a service; a second deployment of it delivers nothing new."""
    found: list[Sample] = []
    seen = set(facts.known_digests)
    for fact in successes:
        key = (fact.service_arn, fact.digest)
        if not fact.digest or key in seen:
            continue
        seen.add(key)
        begin, source = _made(fact, facts.rows)
        if begin <= fact.ended_at:
            found.append(Sample(fact.ended_at, (fact.ended_at - begin).total_seconds(), fact, source))
    return found


def _made(fact: Fact, rows: Sequence[Fact]) -> tuple[datetime, str]:
    """When the image was made or pushed; where nobody knows, when it was first asked for."""
    if fact.built_at is not None:
        return fact.built_at, fact.built_from
    alike = [
        one.requested_at for one in rows if one.service_arn == fact.service_arn and one.digest == fact.digest
    ]
    return min(alike), "requested"


def _undone(facts: Facts) -> tuple[list[Fact], list[Sample]]:
    """Deployments that came through and were rolled back later, and how long each was in force."""
    running = dict(facts.before)
    undone: list[Fact] = []
    samples: list[Sample] = []
    for fact in facts.rows:
        if not fact.succeeded:
            continue
        was = running.get(fact.service_arn)
        if not fact.is_forward and was is not None and was.is_forward:
            undone.append(was)
            samples.append(
                Sample(fact.ended_at, (fact.ended_at - was.ended_at).total_seconds(), was, "rollback")
            )
        running[fact.service_arn] = fact
    return undone, samples


def _restores(facts: Facts, failed: Sequence[Fact]) -> tuple[list[Sample], list[Fact]]:
    """How long each failed deployment kept its service from being as it was, and those that still do."""
    samples: list[Sample] = []
    open_ones: list[Fact] = []
    for fact in failed:
        end, source = (fact.ended_at, "rolled_back") if fact.rolled_back else _next_good(fact, facts.rows)
        if end is None:
            open_ones.append(fact)
        else:
            samples.append(Sample(end, max(0.0, (end - fact.began_at).total_seconds()), fact, source))
    return samples, open_ones


def _next_good(fact: Fact, rows: Sequence[Fact]) -> tuple[datetime | None, str]:
    later = [
        one.ended_at
        for one in rows
        if one.service_arn == fact.service_arn and one.succeeded and one.ended_at > fact.ended_at
    ]
    return (min(later), "deployed") if later else (None, "")
