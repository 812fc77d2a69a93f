"""Why a task stopped, in words, and what helps: the first entry of the catalogue that fits."""

from __future__ import annotations

from environments.deployments.catalogue import EVENTS, STOPS, Diagnosis, Entry, Facts
from environments.deployments.models import StoppedTask

__all__ = ["Diagnosis", "explain", "explain_event", "named"]


def explain(stopped: StoppedTask) -> Diagnosis | None:
    """What the catalogue says of this stop; None when no entry fits."""
    return _first(STOPS, facts_of(stopped))


def explain_event(message: str) -> Diagnosis | None:
    """What the catalogue says of one of the service's events; None of ordinary ones."""
    return _first(EVENTS, Facts(text=message.lower()))


def named(key: str) -> Diagnosis | None:
    """The catalogue's entry of this key."""
    return next((entry.diagnosis for entry in (*STOPS, *EVENTS) if entry.key == key), None)


def facts_of(stopped: StoppedTask) -> Facts:
    """What the entries look at: AWS's words in small letters, the exit codes, the last lines of the log."""
    containers = [row for row in stopped.containers if isinstance(row, dict)]
    reasons = [stopped.stopped_reason, *(str(row.get("reason") or "") for row in containers)]
    return Facts(
        text="\n".join(reasons).lower(),
        code=stopped.stop_code,
        exits=frozenset(row["exit_code"] for row in containers if isinstance(row.get("exit_code"), int)),
        log=stopped.log_tail.lower(),
    )


def _first(entries: tuple[Entry, ...], facts: Facts) -> Diagnosis | None:
    return next((entry.diagnosis for entry in entries if entry.fits(facts)), None)
