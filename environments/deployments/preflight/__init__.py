"""Before anybody approves: can it work at all, and what should they know? One module a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.utils.translation import gettext as _

from environments.deployments.preflight import (
    addresses,
    alarms,
    image,
    log_groups,
    retention,
    rights,
    rollout,
    scan,
    secrets,
    size,
    strategy,
)
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import (
    FAILING,
    OK,
    UNKNOWN,
    WARNING,
    Finding,
    Target,
    unknown,
)
from environments.models import Environment
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

__all__ = ["FAILING", "OK", "UNKNOWN", "WARNING", "Finding", "Target", "run"]

# What matters whatever is done; the rest is about tasks that have to start.
ALWAYS: Final = frozenset({"rollout", "alarms"})
# key of the subject -> what it finds
SUBJECTS: Final[dict[str, Callable[[Target, Look], Iterator[Finding]]]] = {
    "rollout": rollout.findings,
    "image": image.findings,
    "scan": scan.findings,
    "lifecycle": retention.findings,
    "rights": rights.findings,
    "secrets": secrets.findings,
    "logs": log_groups.findings,
    "size": size.findings,
    "addresses": addresses.findings,
    "strategy": strategy.findings,
    "alarms": alarms.findings,
}


def run(access: AccountAccess, environment: Environment, targets: Sequence[Target]) -> list[list[Finding]]:
    """What is found for each target, in their order; never raises: what cannot be read is unknown.

    A finding is {"key", "state": ok|warning|failing|unknown, "text", "hint"}; failing is proof that it
    cannot work.
    """
    look = Look(access, targets)
    return [_of(target, look) for target in targets]


def _of(target: Target, look: Look) -> list[Finding]:
    found: list[Finding] = []
    for key, subject in SUBJECTS.items():
        if key not in ALWAYS and not target.starts_tasks:
            continue
        try:
            # What was found before the read that failed stays found.
            found.extend(subject(target, look))
        except AwsError as error:
            name = f"{key}_unread" if any(row["key"] == key for row in found) else key
            found.append(unknown(name, _("Not known: %(why)s") % {"why": error}, error.hint))
    return found
