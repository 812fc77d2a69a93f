"""Have the service's subnets addresses for the tasks that run beside the old ones?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok, warning


def findings(target: Target, look: Look) -> Iterator[Finding]:
    wanted = _subnets(target)
    needed = extra_tasks(target)
    if not wanted or needed <= 0:
        return
    free = look.free_addresses(name for one in look.targets or [target] for name in _subnets(one))
    gone = [name for name in wanted if name not in free]
    if gone:
        yield failing(
            "addresses",
            _("There is no subnet %(names)s.") % {"names": ", ".join(gone)},
            _("Run Terraform, which corrects the service's network."),
        )
        return
    left = sum(free[name] for name in wanted)
    words = {"free": left, "needed": needed, "n": len(wanted)}
    said = _("%(needed)d more tasks run for a while; the %(n)d subnets have %(free)d free addresses.") % words
    hint = _("Free addresses (stopped environments, unused interfaces), or add a subnet to the service.")
    if left >= needed:
        empty = [name for name in wanted if not free[name]]
        yield warning("addresses", f"{said} {_empty(empty)}", hint) if empty else ok("addresses", said)
    elif _may_go_on(target, left):
        yield warning("addresses", _("%(said)s It will take longer.") % {"said": said}, hint)
    else:
        yield failing("addresses", said, hint)


def extra_tasks(target: Target) -> int:
    """How many tasks run beside the present ones at the peak."""
    service = target.running_service
    present = int(service.get("desiredCount") or 0)
    desired = present if target.desired is None else target.desired
    if target.act == "scale":
        return desired - present
    if target.strategy != "rolling":
        return desired
    said = (service.get("deploymentConfiguration") or {}).get("maximumPercent")
    # ECS rounds the upper limit down.
    return desired * (200 if said is None else int(said)) // 100 - present


def _may_go_on(target: Target, left: int) -> bool:
    """A rolling deployment goes on one by one, as long as one task fits or an old one may stop first."""
    if target.strategy != "rolling" or target.act == "scale":
        return False
    said = (target.running_service.get("deploymentConfiguration") or {}).get("minimumHealthyPercent")
    return left > 0 or (said is not None and int(said) < 100)


def _subnets(target: Target) -> list[str]:
    network = target.running_service.get("networkConfiguration") or {}
    return list((network.get("awsvpcConfiguration") or {}).get("subnets") or [])


def _empty(names: list[str]) -> str:
    return _("None is left in %(names)s.") % {"names": ", ".join(names)}
