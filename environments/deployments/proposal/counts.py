"""Scaling: the counts there are, the counts that are asked for, and whether that is only more of the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.deployments.proposal.running import Running

Counts = dict[str, int | None]
NAMES = ("desired", "minimum", "maximum")


def present(running: Running) -> Counts:
    """The counts now; minimum and maximum are None where the service does not scale by itself."""
    bounds = running.scaling
    return {
        "desired": int(running.service["desiredCount"]),
        "minimum": bounds.minimum if bounds else None,
        "maximum": bounds.maximum if bounds else None,
    }


def asked(wanted: Mapping[str, Any], now: Counts, service: str) -> Counts:
    """The counts afterwards. Raises ToolFailure where they do not go together."""
    after = {name: wanted.get(name, now[name]) for name in NAMES}
    if now["minimum"] is None and (wanted.get("minimum") is not None or wanted.get("maximum") is not None):
        raise ToolFailure(
            _("%(service)s does not scale by itself, so it has no minimum and maximum.")
            % {"service": service},
            _("Ask for a desired count, or let the blueprint give it automatic scaling."),
        )
    least, most, desired = after["minimum"], after["maximum"], after["desired"]
    said = {"service": service, "least": least, "most": most, "desired": desired}
    if least is not None and most is not None and least > most:
        raise ToolFailure(
            _("The minimum of %(service)s would be %(least)s, above its maximum of %(most)s.") % said,
            _("Move the other bound as well."),
        )
    if wanted.get("desired") is not None and desired is not None:
        if least is not None and desired < least:
            raise ToolFailure(
                _("%(service)s keeps at least %(least)s tasks; %(desired)s would not last.") % said,
                _("Lower the minimum as well."),
            )
        if most is not None and desired > most:
            raise ToolFailure(
                _("%(service)s keeps at most %(most)s tasks; %(desired)s would not last.") % said,
                _("Raise the maximum as well; that needs an approval."),
            )
    return after


def only_out(before: Counts, after: Counts) -> bool:
    """Whether nothing but more tasks come of it, within the maximum that stands: what needs no second person."""
    if before["maximum"] is None or after["maximum"] != before["maximum"]:
        return False
    return all((after[name] or 0) >= (before[name] or 0) for name in ("desired", "minimum"))
