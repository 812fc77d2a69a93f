"""What ECS refuses in a request to create or change a service."""

from __future__ import annotations

from typing import Any

from moto.ecs.exceptions import InvalidParameterException

_STRATEGIES = ("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY")
_MOST_MINUTES = 1440
_NEEDED = ("alternateTargetGroupArn", "productionListenerRule", "roleArn")


def check(parameters: dict[str, Any]) -> None:
    """Raises InvalidParameterException."""
    desired = parameters.get("desiredCount")
    if desired is not None and int(desired) < 0:
        raise InvalidParameterException("desiredCount cannot be negative.")
    configuration = parameters.get("deploymentConfiguration") or {}
    strategy = configuration.get("strategy") or "ROLLING"
    if strategy not in _STRATEGIES:
        raise InvalidParameterException(f"Deployment strategy should be one of {list(_STRATEGIES)}.")
    minutes = (
        configuration.get("bakeTimeInMinutes"),
        (configuration.get("canaryConfiguration") or {}).get("canaryBakeTimeInMinutes"),
        (configuration.get("linearConfiguration") or {}).get("stepBakeTimeInMinutes"),
    )
    if any(number is not None and not 0 <= int(number) <= _MOST_MINUTES for number in minutes):
        raise InvalidParameterException(f"Bake times must lie between 0 and {_MOST_MINUTES} minutes.")
    for kind, owner in (("canaryConfiguration", "CANARY"), ("linearConfiguration", "LINEAR")):
        if configuration.get(kind) and strategy != owner:
            raise InvalidParameterException(f"{kind} is only valid with the deployment strategy {owner}.")
    if strategy != "ROLLING":
        _check_balancers(parameters.get("loadBalancers") or [], strategy)


def _check_balancers(balancers: list[dict[str, Any]], strategy: str) -> None:
    for balancer in balancers:
        advanced = balancer.get("advancedConfiguration") or {}
        missing = [name for name in _NEEDED if not advanced.get(name)]
        if missing:
            raise InvalidParameterException(
                f"loadBalancers.advancedConfiguration needs {', '.join(missing)} for the strategy {strategy}."
            )
