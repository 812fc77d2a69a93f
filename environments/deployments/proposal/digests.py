"""What a vote on a deployment stands for: one digest over everything that would be done, and with what.

Equal for equal proposals, whoever makes them and when: no times, no order of lists that have none. Values of
environment variables enter by a keyed fingerprint, so that nobody can guess one from the digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from typing import Any

from environments.deployments.models import Deployment
from environments.deployments.proposal.service_plans import ServicePlan
from environments.deployments.services import Service
from portal.aws.task_definitions import fingerprint
from portal.core.canonical import digest
from portal.core.keyring import keyring


def of_proposal(deployment: Deployment, plans: Sequence[ServicePlan]) -> str:
    """SHA-256 of it, 64 hex digits."""
    return digest(
        {
            "act": deployment.act,
            "strategy": deployment.strategy,
            "options": deployment.strategy_options,
            "before_task": deployment.before_task,
            "services": [_of_plan(deployment, plan) for plan in plans],
        }
    )


def _of_plan(deployment: Deployment, plan: ServicePlan) -> dict[str, Any]:
    declaration = plan.service.declaration
    asked = deployment.bake_seconds
    return {
        "service": plan.service.arn,
        "running": plan.running.arn,
        "rendered": fingerprint(sealed(plan.rendered)) if plan.rendered else "",
        "digest": plan.digest,
        "secrets": plan.secrets,
        "scaling": plan.counts if plan.counts[0] != plan.counts[1] else (),
        "bake": declaration.bake_seconds if asked is None else asked,
        "checks": [asdict(check) for check in declaration.checks],
        "alarms": sorted(declaration.alarms),
        "blue_green": asdict(declaration.blue_green) if declaration.blue_green else {},
    }


def sealed(rendered: Mapping[str, Any]) -> dict[str, Any]:
    """The task definition with a keyed fingerprint in place of each variable's value."""
    made = deepcopy(dict(rendered))
    for container in made.get("containerDefinitions") or []:
        for one in container.get("environment") or []:
            one["value"] = keyring().fingerprint(str(one.get("value", "")).encode(), context="proposal")
    return made


def of_declaration(service: Service) -> str:
    """Stands for what the blueprint says of the service."""
    return digest(asdict(service.declaration))
