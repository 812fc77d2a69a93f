"""What is to be thought of a service: one of the five words of state, from its last look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.deployments.models import ServiceStatus
from environments.deployments.shown.revisions import is_newer, revision
from environments.registry import ATTENTION, FAILING, HEALTHY, PROGRESS, SEVERITY, UNKNOWN

# A replaced task is missing for a minute or two; after that nobody replaces it.
SHORT_FOR: Final = timedelta(minutes=3)


@dataclass(frozen=True)
class Verdict:
    """`state` is one of SEVERITY; `text` a few words, `why` a sentence; `at` the age of the knowledge."""

    state: str
    text: str
    why: str = ""
    at: datetime | None = None

    @property
    def rank(self) -> int:
        return SEVERITY.index(self.state)


def judge(
    row: ServiceStatus | None,
    *,
    interval: int,
    terraform: str = "",
    production: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """The service's verdict. `terraform` is Terraform's newest revision (ARN), `interval` seconds between looks."""
    now = now or timezone.now()
    unknown = _unknown(row, interval, now)
    if unknown is not None or row is None or row.taken_at is None:
        return unknown or Verdict(UNKNOWN, _("Not looked at yet"))
    at = row.taken_at
    found = _failing(row, now) or _moving(row)
    if found is None:
        found = _needs_attention(row, terraform, production=production)
    state, text, why = found or (HEALTHY, _("Healthy") if row.desired else _("Scaled to none"), "")
    return Verdict(state, text, why, at)


def is_stale(taken_at: datetime | None, interval: int, now: datetime | None = None) -> bool:
    """Whether a figure is older than twice the time between two looks."""
    return taken_at is None or (now or timezone.now()) - taken_at > 2 * timedelta(seconds=interval)


def _unknown(row: ServiceStatus | None, interval: int, now: datetime) -> Verdict | None:
    if row is None:
        return Verdict(UNKNOWN, _("Not looked at yet"))
    if row.taken_at is None:
        text = _("Unknown: the look failed") if row.error else _("Not looked at yet")
        return Verdict(UNKNOWN, text, row.error, row.error_at)
    if is_stale(row.taken_at, interval, now):
        why = row.error or _("No look has come through since; what is shown is old.")
        return Verdict(UNKNOWN, _("Unknown since the last look"), why, row.taken_at)
    return None


Found = tuple[str, str, str]


def _failing(row: ServiceStatus, now: datetime) -> Found | None:
    if row.status != "ACTIVE":
        words = {"status": row.status or "MISSING"}
        return FAILING, _("Gone"), _("ECS says the service is %(status)s.") % words
    if _rollout(row) == "FAILED":
        return FAILING, _("The last rollout failed"), _("ECS gave up on it; see its events.")
    running, desired = row.running or 0, row.desired or 0
    if running < desired and row.short_since and now - row.short_since >= SHORT_FOR:
        words = {"running": str(running), "desired": str(desired)}
        return (
            FAILING,
            _("%(running)s of %(desired)s tasks run") % words,
            _("Tasks are missing and nothing brings them back."),
        )
    return None


def _moving(row: ServiceStatus) -> Found | None:
    running, desired = row.running or 0, row.desired or 0
    if _rollout(row) == "IN_PROGRESS":
        return PROGRESS, _("Rolling out"), ""
    if running < desired:
        words = {"running": str(running), "desired": str(desired)}
        return (
            PROGRESS,
            _("%(running)s of %(desired)s tasks run") % words,
            _("ECS is starting what is missing."),
        )
    return None


def _needs_attention(row: ServiceStatus, terraform: str, *, production: bool) -> Found | None:
    if row.out_of_band:
        why = _("%(revision)s was neither deployed from here nor made by Terraform.")
        return (
            ATTENTION,
            _("Runs what nobody deployed from here"),
            why % {"revision": revision(row.task_definition_arn)},
        )
    if terraform and is_newer(terraform, row.task_definition_arn):
        why = _(
            "Terraform's %(newer)s is newer than %(revision)s, which runs: the next deployment brings it."
        )
        words = {"newer": revision(terraform), "revision": revision(row.task_definition_arn)}
        return ATTENTION, _("Terraform's revision waits for a deployment"), why % words
    if production and row.desired == 0:
        return ATTENTION, _("Scaled to none"), _("In production, with no task wanted, it serves nobody.")
    return None


def _rollout(row: ServiceStatus) -> str:
    """ECS's word for the newest deployment of the service."""
    rows: list[dict[str, object]] = row.deployments
    primary = next((one for one in rows if one.get("status") == "PRIMARY"), {})
    return str(primary.get("rolloutState") or "")


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The one that decides about the whole; among equals the oldest knowledge."""
    found = sorted(verdicts, key=lambda one: (one.rank, one.at.timestamp() if one.at else 0))
    return found[0] if found else None
