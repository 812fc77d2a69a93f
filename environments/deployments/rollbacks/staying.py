"""What a rollback does not bring back: values of secrets, what migrations did, what Terraform has set since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from environments.deployments.models import DeploymentPart, OneOffTask
from environments.deployments.proposal import difference, ownership
from environments.deployments.proposal.difference import Basis
from environments.deployments.proposal.service_plans import ServicePlan
from environments.deployments.rollbacks.choices import Choice
from environments.models import Environment

MOST: Final = 20


@dataclass(frozen=True)
class Stays:
    """`secrets`: names of variables whose secret has another value since; None when that is not known.

    `migrations`: tasks that ran before later deployments; `fields`: {"container", "path", "before", "after"} of
    what Terraform has set otherwise since.
    """

    secrets: tuple[str, ...] | None = ()
    migrations: tuple[OneOffTask, ...] = ()
    fields: tuple[Mapping[str, Any], ...] = ()

    @property
    def something(self) -> bool:
        return bool(self.secrets or self.secrets is None or self.migrations or self.fields)


def stays(environment: Environment, choice: Choice, plan: ServicePlan, then: Mapping[str, Any]) -> Stays:
    """What of this service's present stays; `then` is the task definition it goes back to."""
    good = choice.good
    assert good is not None
    return Stays(
        secrets=_secrets(good, plan, then),
        migrations=tuple(_migrations(environment, good)),
        fields=tuple(_of_terraform(plan, then)),
    )


def _secrets(good: DeploymentPart, plan: ServicePlan, then: Mapping[str, Any]) -> tuple[str, ...] | None:
    proposal = good.deployment.change.proposal
    base = proposal.base.get("services", {}).get(good.service_arn, {}) if proposal else {}
    before = base.get("secret_versions")
    if before is None:
        return None if plan.secrets else ()
    moved = {
        reference for reference, now in plan.secrets.items() if before.get(reference, now) != now or not now
    }
    names = {
        str(one["name"])
        for container in (plan.rendered or then).get("containerDefinitions") or []
        for one in container.get("secrets") or []
        if one["valueFrom"] in moved
    }
    return tuple(sorted(names))


def _migrations(environment: Environment, good: DeploymentPart) -> list[OneOffTask]:
    """Of all services of the environment: they may share one database."""
    rows = OneOffTask.objects.filter(
        purpose=OneOffTask.Purpose.BEFORE,
        part__deployment__change__environment=environment,
        part__deployment__pk__gt=good.deployment_id,
    ).exclude(task_arn="")
    return list(rows.select_related("part__deployment__change").defer("log_tail").order_by("-pk")[:MOST])


def _of_terraform(plan: ServicePlan, then: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    basis = Basis(plan.service.declaration, plan.container, frozenset(), bool(plan.terraform_arn))
    rows = difference.rows(then, plan.rendered or plan.running.definition, basis)
    return [row for row in rows if row["owner"] == ownership.TERRAFORM][:MOST]
