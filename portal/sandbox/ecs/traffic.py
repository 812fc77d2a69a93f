"""Which target groups a revision is in, and the listener rules that share the traffic between two of them."""

from __future__ import annotations

from typing import Any

from portal.sandbox.ecs.state import Deployment
from portal.sandbox.ecs.world import World

WHOLE = 100.0
KINDS = ("productionListenerRule", "testListenerRule")


def groups_of(settings: dict[str, Any], index: int) -> list[tuple[str, int]]:
    """The target groups that a revision registers in: the service's own (0) or the alternate ones (1)."""
    found = []
    for balancer in settings.get("loadBalancers") or []:
        other = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        group = other if index and other else balancer.get("targetGroupArn")
        if group:
            found.append((group, int(balancer.get("containerPort") or 0)))
    return found


def rules_of(settings: dict[str, Any], kind: str) -> list[tuple[str, str, str]]:
    """(listener rule, own target group, alternate one) of each load balancer that has such a rule."""
    found = []
    for balancer in settings.get("loadBalancers") or []:
        advanced = balancer.get("advancedConfiguration") or {}
        if advanced.get(kind) and advanced.get("alternateTargetGroupArn"):
            found.append((advanced[kind], balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]))
    return found


def weigh(kind: str, green: Deployment, part: float, world: World) -> None:
    """Give green that part of the traffic, in whole percents as a listener rule has them."""
    for rule, own, alternate in rules_of(green.settings, kind):
        ours = {group for group, _ in green.groups}
        whole = round(part) if part in (0, WHOLE) else min(99, max(1, round(part)))
        world.weigh(rule, {group: whole if group in ours else 100 - whole for group in (own, alternate)})


def take_away(green: Deployment, world: World) -> None:
    """All traffic, production's and the tests', back to where it was."""
    for kind in KINDS:
        weigh(kind, green, 0.0, world)
