"""What UpdateService is asked for: the revision, how to roll it out, and what lets ECS go back by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from environments.deployments.declarations import BlueGreen, Declaration
from environments.deployments.models import Act, Deployment, DeploymentPart, Strategy

NATIVE: Final = {
    Strategy.ROLLING: "ROLLING",
    Strategy.BLUE_GREEN: "BLUE_GREEN",
    Strategy.CANARY: "CANARY",
    Strategy.LINEAR: "LINEAR",
}


def parameters(
    part: DeploymentPart, service: Mapping[str, Any], declaration: Declaration, bake_minutes: int
) -> dict[str, Any]:
    """The call's parameters. The count of tasks is left out: automatic scaling owns it."""
    deployment = part.deployment
    asked: dict[str, Any] = {"cluster": part.cluster_arn, "service": part.service_arn}
    if deployment.act == Act.RESTART:
        strategy = str((service.get("deploymentConfiguration") or {}).get("strategy") or "ROLLING")
        asked |= {"taskDefinition": service["taskDefinition"], "forceNewDeployment": True}
    else:
        strategy = NATIVE[Strategy(deployment.strategy)]
        asked["taskDefinition"] = part.registered_arn
    asked["deploymentConfiguration"] = configuration(
        deployment, service, strategy, declaration.alarms, bake_minutes
    )
    if strategy != "ROLLING" and declaration.blue_green is not None:
        asked["loadBalancers"] = balancers(service, declaration.blue_green)
    return asked


def configuration(
    deployment: Deployment,
    service: Mapping[str, Any],
    strategy: str,
    alarms: tuple[str, ...],
    bake_minutes: int,
) -> dict[str, Any]:
    """The service's own settings, with strategy, breaker and alarms set; percentages stay as they are."""
    kept = dict(service.get("deploymentConfiguration") or {})
    for name in ("linearConfiguration", "canaryConfiguration", "bakeTimeInMinutes"):
        if deployment.act != Act.RESTART:
            kept.pop(name, None)
    breaker = dict(kept.get("deploymentCircuitBreaker") or {})
    if strategy == "ROLLING":
        # "can only be used for services using the rolling update": of the others the service's setting stays.
        breaker |= {"enable": True, "rollback": True}
    if breaker:
        kept["deploymentCircuitBreaker"] = breaker
    if alarms:
        kept["alarms"] = {"alarmNames": sorted(alarms), "enable": True, "rollback": True}
    kept["strategy"] = strategy
    if deployment.act != Act.RESTART and strategy != "ROLLING":
        kept |= {"bakeTimeInMinutes": bake_minutes, **steps(deployment)}
    return kept


def steps(deployment: Deployment) -> dict[str, Any]:
    """The steps in which a canary or linear deployment moves traffic; {} for the other strategies."""
    options = deployment.strategy_options
    if deployment.strategy == Strategy.CANARY:
        return {
            "canaryConfiguration": {
                "canaryPercent": float(_given(options, "canary_percent", 5)),
                "canaryBakeTimeInMinutes": int(_given(options, "canary_bake_minutes", 10)),
            }
        }
    if deployment.strategy == Strategy.LINEAR:
        return {
            "linearConfiguration": {
                "stepPercent": float(_given(options, "step_percent", 10)),
                "stepBakeTimeInMinutes": int(_given(options, "step_bake_minutes", 6)),
            }
        }
    return {}


def _given(options: Mapping[str, Any], name: str, default: int) -> Any:
    value = options.get(name)
    return default if value is None else value


def balancers(service: Mapping[str, Any], declared: BlueGreen) -> list[dict[str, Any]]:
    """The service's load balancers, the declared one with what ECS needs to move its traffic.

    ECS swaps the two groups with each deployment: whichever of them the service has now stays first.
    """
    pair = (declared.target_group_arn, declared.alternate_target_group_arn)
    found = []
    for balancer in service.get("loadBalancers", []):
        if balancer.get("targetGroupArn") not in pair:
            found.append(dict(balancer))
            continue
        other = pair[1] if balancer["targetGroupArn"] == pair[0] else pair[0]
        advanced = {
            "alternateTargetGroupArn": other,
            "productionListenerRule": declared.production_listener_rule_arn,
            "roleArn": declared.role_arn,
        }
        if declared.test_listener_rule_arn:
            advanced["testListenerRule"] = declared.test_listener_rule_arn
        found.append({**balancer, "advancedConfiguration": advanced})
    return found
