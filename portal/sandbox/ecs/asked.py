"""What ECS refuses in a request to create or change a service."""

from __future__ import annotations

from typing import Any

from moto.ecs.exceptions import InvalidParameterException

_STRATEGIES = ("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY")
_OF_STRATEGY = {"CANARY": "canaryConfiguration", "LINEAR": "linearConfiguration"}
_MOST_MINUTES = 1440
_NEEDED = ("alternateTargetGroupArn", "productionListenerRule", "roleArn")


def check(parameters: dict[str, Any]) -> None:
    """Raises InvalidParameterException."""
    desired = parameters.get("desiredCount")
    if desired is not None and int(desired) < 0:
        raise InvalidParameterException("desiredCount cannot be negative.")
    configuration = parameters.get("deploymentConfiguration") or {}
    strategy = configuration.get("strategy")
    if strategy not in (None, *_STRATEGIES):
        raise InvalidParameterException(f"Deployment strategy should be one of {list(_STRATEGIES)}.")
    minutes = (
        configuration.get("bakeTimeInMinutes"),
        (configuration.get("canaryConfiguration") or {}).get("canaryBakeTimeInMinutes"),
        (configuration.get("linearConfiguration") or {}).get("stepBakeTimeInMinutes"),
    )
    if any(number is not None and not 0 <= int(number) <= _MOST_MINUTES for number in minutes):
        raise InvalidParameterException(f"Bake times must lie between 0 and {_MOST_MINUTES} minutes.")
    for owner, kind in _OF_STRATEGY.items():
        if configuration.get(kind) and strategy not in (None, owner):
            raise InvalidParameterException(f"{kind} is only valid with the deployment strategy {owner}.")


def merged(known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The configuration after an update: what was not given stays, but not another strategy's parts."""
    configuration = {**known, **given}
    strategy = configuration.get("strategy")
    for owner, kind in _OF_STRATEGY.items():
        if strategy != owner:
            configuration.pop(kind, None)
    return configuration


def check_balancers(balancers: list[dict[str, Any]], strategy: str) -> None:
    """Raises InvalidParameterException when a strategy that shifts traffic has nothing to shift it with."""
    for balancer in balancers if strategy != "ROLLING" else []:
        advanced = balancer.get("advancedConfiguration") or {}
        missing = [name for name in _NEEDED if not advanced.get(name)]
        if missing:
            raise InvalidParameterException(
                f"loadBalancers.advancedConfiguration needs {', '.join(missing)} for the strategy {strategy}."
            )
