"""What is left to do about a deployment that has ended: what runs now, and the way back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.models import DeploymentPart, Outcome
from environments.deployments.shown.links import optional
from environments.deployments.shown.proposal import of_change
from environments.deployments.shown.revisions import revision
from environments.permissions import refusal, roles_of
from portal.accounts.models import User

BAD = frozenset({Status.FAILED, Status.REGRESSED, Status.INTERRUPTED})


def told(change: Change, user: User) -> dict[str, Any]:
    """What runs now in a sentence a service, and where “Roll back” leads; nothing of one that never began."""
    if change.started_at is None:
        return {}
    _deployment, parts = of_change(change)
    place = change.environment
    url = optional("deployments:rollback", place.tenant.slug, place.slug)
    bad = change.status in BAD and any(part.outcome not in _BACK for part in parts)
    return {
        "now_runs": [one for part in parts if (one := now_runs(part))],
        "rollback_url": url if bad or change.status == Status.SUCCEEDED else "",
        "rollback_loud": bad,
        "rollback_denied": refusal(roles_of(user, place.tenant), "change.request"),
    }


_BACK = frozenset({Outcome.ROLLED_BACK, Outcome.UNTOUCHED})


def now_runs(part: DeploymentPart) -> str:
    """What the service was left with, as far as it is known."""
    names = {
        "service": part.service,
        "now": revision(part.registered_arn),
        "before": revision(part.previous_arn),
    }
    if part.outcome == Outcome.ROLLED_BACK:
        text = _("%(service)s runs %(before)s again, as before this change.")
    elif part.outcome == Outcome.UNTOUCHED:
        text = _("%(service)s was not touched.")
    elif part.outcome == Outcome.ROLLBACK_FAILED:
        text = _("%(service)s could not be brought back to %(before)s. Look at it now: it may run neither.")
    elif part.outcome == Outcome.FAILED:
        text = _("%(service)s failed and was not brought back; what runs there is not known for sure.")
    else:
        return ""
    return text % names
