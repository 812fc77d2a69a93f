"""Do the alarms that are to watch the deployment fire already? ECS ignores one that does."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, ok, unknown, warning
from portal.aws.alarms import ALARM, NO_DATA


def names(target: Target) -> list[str]:
    """The alarms of a service: as declared, and those that ECS itself watches."""
    configuration = target.running_service.get("deploymentConfiguration") or {}
    own = (configuration.get("alarms") or {}).get("alarmNames") or []
    return list(dict.fromkeys([*target.service.declaration.alarms, *own]))


def findings(target: Target, look: Look) -> Iterator[Finding]:
    wanted = names(target)
    if not wanted:
        yield unknown(
            "alarms",
            _("No alarm watches this service: what goes wrong after the tasks are healthy goes unnoticed."),
            _("Declare `alarms` in the blueprint's output `deployments`."),
        )
        return
    found = look.alarms(name for one in look.targets or [target] for name in names(one))
    missing = [name for name in wanted if name not in found]
    firing = [name for name in wanted if name in found and found[name].state == ALARM]
    silent = [name for name in wanted if name in found and found[name].state == NO_DATA]
    if firing:
        yield warning(
            "alarms",
            _("Fires already: %(names)s. It cannot tell whether this deployment makes things worse.")
            % {"names": ", ".join(firing)},
            _("Look at it first. A deployment that repairs it is fine."),
        )
    if missing:
        yield warning(
            "alarms_missing",
            _("There is no alarm %(names)s, so nothing watches for it.") % {"names": ", ".join(missing)},
            _("Run Terraform, or correct the name in the output `deployments`."),
        )
    if silent:
        yield unknown("alarms_silent", _("Has no data: %(names)s.") % {"names": ", ".join(silent)})
    if not firing and not missing and not silent:
        yield ok("alarms", _("None of the %(n)d alarms fires.") % {"n": len(wanted)})
