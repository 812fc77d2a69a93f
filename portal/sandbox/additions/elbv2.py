"""Load balancing: the targets that ECS registers, and listener rules whose weights its rollouts move."""

from typing import Any

from moto.elbv2.models import ELBv2Backend

from portal.sandbox.ecs import services, targets
from portal.sandbox.patching import wrap


@wrap(ELBv2Backend, "describe_target_health")
def _health(
    original: Any, self: ELBv2Backend, target_group_arn: str, asked: list[dict[str, Any]]
) -> list[Any]:
    group = self.target_groups.get(target_group_arn)
    known = (
        {}
        if group is None
        else {
            (target.instance_id, str(target.port)): target
            for target in targets.of_group(self.account_id, self.region_name, group)
        }
    )
    if not asked:
        own: list[Any] = original(self, target_group_arn, asked)
        return [*known.values(), *own]
    # A target is asked for by its address, with its port or without.
    ours = [
        found
        for wanted in asked
        for (address, port), found in known.items()
        if address == wanted["Id"] and str(wanted.get("Port") or port) == port
    ]
    addresses = {found.instance_id for found in ours}
    rest = [wanted for wanted in asked if wanted["Id"] not in addresses]
    return ours + (original(self, target_group_arn, rest) if rest or group is None else [])


@wrap(ELBv2Backend, "describe_rules")
def _rules(original: Any, self: ELBv2Backend, *args: Any, **kwargs: Any) -> Any:
    services.catch_up(self.account_id, self.region_name)
    return original(self, *args, **kwargs)


@wrap(ELBv2Backend, "describe_listeners")
def _listeners(original: Any, self: ELBv2Backend, *args: Any, **kwargs: Any) -> Any:
    services.catch_up(self.account_id, self.region_name)
    return original(self, *args, **kwargs)
