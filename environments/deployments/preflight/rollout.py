"""Does ECS deploy the service already, or is it in no state to be deployed?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok, unknown, warning

CODE_DEPLOY: Final = {"CODE_DEPLOY", "EXTERNAL"}


def findings(target: Target, look: Look) -> Iterator[Finding]:
    service = target.running_service
    if not service:
        yield unknown("rollout", _("ECS did not describe the service."))
        return
    status = service.get("status")
    if status != "ACTIVE":
        yield failing("rollout", _("The service is %(status)s, not ACTIVE.") % {"status": status})
        return
    controller = (service.get("deploymentController") or {}).get("type")
    if controller in CODE_DEPLOY:
        yield failing(
            "rollout",
            _("The service is deployed by %(who)s, not by ECS itself.") % {"who": controller},
            _("Set the deployment controller to ECS in the blueprint; that replaces the service."),
        )
        return
    rows = service.get("deployments") or []
    moving = [row for row in rows if row.get("rolloutState") == "IN_PROGRESS"]
    if moving or len(rows) > 1:
        yield warning(
            "rollout",
            _("Another deployment is in progress: %(id)s.") % {"id": (moving or rows)[0].get("id")},
            _("Wait for it, or stop it: a new one takes its place before it was proven."),
        )
    else:
        yield ok("rollout", _("No other deployment is in progress."))
