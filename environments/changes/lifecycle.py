"""The one table of allowed moves, and the sets that others read from it.

requested -> proposing -> awaiting_approval -> approved -> executing -> verifying -> succeeded
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    PROPOSING = "proposing", _("Proposing")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
    APPROVED = "approved", _("Approved")
    EXECUTING = "executing", _("Executing")
    VERIFYING = "verifying", _("Verifying")
    SUCCEEDED = "succeeded", _("Succeeded")
    NO_CHANGES = "no_changes", _("No changes")
    PLANNED = "planned", _("Planned")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")
    SUPERSEDED = "superseded", _("Superseded")
    FAILED = "failed", _("Failed")
    REGRESSED = "regressed", _("Regressed")
    INTERRUPTED = "interrupted", _("Interrupted")


S = Status

# Literal on purpose: this is section 1 of the design, and the tests walk it.
MOVES: Final[dict[Status, frozenset[Status]]] = {
    S.REQUESTED: frozenset({S.PROPOSING, S.CANCELLED}),
    S.PROPOSING: frozenset(
        {
            S.AWAITING_APPROVAL,
            S.APPROVED,
            S.NO_CHANGES,
            S.PLANNED,
            S.FAILED,
            S.CANCELLED,
            S.REQUESTED,
        }
    ),
    S.AWAITING_APPROVAL: frozenset(
        {S.APPROVED, S.REJECTED, S.EXPIRED, S.SUPERSEDED, S.CANCELLED, S.PROPOSING}
    ),
    # awaiting_approval: a vote was withdrawn or its holder lost the role before the start.
    S.APPROVED: frozenset(
        {S.EXECUTING, S.EXPIRED, S.SUPERSEDED, S.CANCELLED, S.PROPOSING, S.AWAITING_APPROVAL}
    ),
    S.EXECUTING: frozenset({S.VERIFYING, S.FAILED, S.CANCELLED, S.INTERRUPTED}),
    S.VERIFYING: frozenset({S.SUCCEEDED, S.REGRESSED, S.FAILED, S.INTERRUPTED}),
}

FINAL: Final = frozenset(
    {
        S.SUCCEEDED,
        S.NO_CHANGES,
        S.PLANNED,
        S.REJECTED,
        S.EXPIRED,
        S.CANCELLED,
        S.SUPERSEDED,
        S.FAILED,
        S.REGRESSED,
        S.INTERRUPTED,
    }
)
OPEN: Final = frozenset(Status) - FINAL
# A worker holds a lease while the change is in one of these.
WORKING: Final = frozenset({S.PROPOSING, S.EXECUTING, S.VERIFYING})
# Phases that may be without a worker: they rest until AWS has moved on, or their worker died.
RESTING: Final = frozenset({S.EXECUTING, S.VERIFYING})
# A vote may be taken back until the start.
WITHDRAWABLE: Final = frozenset({S.AWAITING_APPROVAL, S.APPROVED})
CANCELLABLE: Final = frozenset({S.REQUESTED, S.PROPOSING, S.AWAITING_APPROVAL, S.APPROVED, S.EXECUTING})
# What did not come through, perhaps half of it, and may be asked for again.
RETRYABLE: Final = frozenset({S.FAILED, S.CANCELLED, S.INTERRUPTED, S.REGRESSED})


class ErrorKind(models.TextChoices):
    TOOL = "tool", _("Terraform or AWS said no")
    PORTAL = "portal", _("The portal could not run it")
