"""What of a look belongs into the audit log: only what was not so before. A look a minute is no news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from environments.deployments.models import ServiceStatus
from environments.deployments.shown.revisions import revision
from environments.models import Environment
from environments.permissions import actor
from portal import audit
from portal.accounts.principals import SYSTEM


def note(
    environment: Environment, before: Mapping[str, ServiceStatus], after: Sequence[ServiceStatus]
) -> None:
    """Record services that began to run what nobody here made, and looks that began to fail or came through again."""
    for row in after:
        old = before.get(row.service_arn)
        was_strange, was_failing = bool(old and old.out_of_band), bool(old and old.error)
        if row.out_of_band and not (
            was_strange and old and old.task_definition_arn == row.task_definition_arn
        ):
            _record(
                environment,
                row,
                "service.out_of_band",
                before={"revision": revision(old.task_definition_arn) if old else ""},
                after={"revision": revision(row.task_definition_arn)},
            )
        if bool(row.error) != was_failing:
            _record(
                environment,
                row,
                "service.look_failed" if row.error else "service.look_restored",
                after={"error": row.error[:500]},
                outcome="failed" if row.error else "done",
            )


def _record(
    environment: Environment,
    row: ServiceStatus,
    action: str,
    *,
    after: dict[str, object],
    before: dict[str, object] | None = None,
    outcome: str = "done",
) -> None:
    audit.record(
        actor=actor(SYSTEM, environment),
        action=action,
        target=audit.Target("service", row.service_arn, row.service),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        outcome=outcome,
        before=before,
        after=after,
    )
