"""What people ask of services: deploy, change settings, restart, scale, promote, roll back. Each makes one change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.models import Change, Start
from environments.changes.transitions import note_event
from environments.deployments.asked import asking, before_tasks, strategies, superseding, titles
from environments.deployments.asked.asking import Asked, Errors, Row
from environments.deployments.models import Act, Deployment, DeploymentPart, Outcome
from environments.models import Environment
from environments.permissions import require
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput

__all__ = [
    "Asked",
    "request_deployment",
    "request_promotion",
    "request_restart",
    "request_rollback",
    "request_scale",
]
KIND: Final = "deployment"
ROLLBACK_PRIORITY: Final = -10


def target_of(environment: Environment) -> audit.Target:
    return audit.Target("environment", environment.key, str(environment))


def request_deployment(
    *,
    by: Principal,
    environment: Environment,
    services: Sequence[Asked],
    act: str = Act.DEPLOY,
    strategy: str = "",
    strategy_options: Mapping[str, Any] | None = None,
    bake_seconds: int | None = None,
    before_task: Mapping[str, Any] | None = None,
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
    promoted_from: Environment | None = None,
    on_made: Callable[[Change], None] | None = None,
) -> Change:
    """Ask for images and settings of services. Raises NotAllowed, InvalidInput, Conflict.

    `before_task` None: as the first service declares; {}: none. `bake_seconds` None: as each service declares.
    `on_made` is called with the change inside its transaction; what it raises undoes the request.
    """
    with acting(by, environment, action="change.request", target=target_of(environment)):
        _may(by, environment)
        errors: Errors = {}
        if act not in (Act.DEPLOY, Act.CONFIGURE):
            errors["act"] = [_("Use one of: %(names)s.") % {"names": f"{Act.DEPLOY}, {Act.CONFIGURE}"}]
        act = asking.act_of(act, services)
        rows = asking.rows(environment, services, act, errors)
        here = [row.service for row in rows]
        chosen, options = strategies.check(strategy, strategy_options, bake_seconds, here, errors)
        before = before_tasks.wanted(before_task, rows, act, errors)
        made = _request(
            by,
            environment,
            act,
            rows,
            errors,
            deployment={
                "strategy": chosen,
                "strategy_options": options,
                "bake_seconds": bake_seconds,
                "before_task": before,
                "promoted_from": promoted_from,
            },
            change={"reason": reason, "ticket": ticket, "links": links, "start": start, "start_at": start_at},
        )
        if on_made is not None:
            on_made(made)
        return made


def request_restart(
    *,
    by: Principal,
    environment: Environment,
    services: Sequence[Asked],
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for new tasks of what runs (force new deployment). Raises NotAllowed, InvalidInput, Conflict."""
    said = {"reason": reason, "ticket": ticket, "links": links, "start": start, "start_at": start_at}
    return _simple(by, environment, Act.RESTART, services, said)


def request_scale(
    *,
    by: Principal,
    environment: Environment,
    services: Sequence[Asked],
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for another number of tasks: desired, minimum, maximum. Raises NotAllowed, InvalidInput, Conflict."""
    said = {"reason": reason, "ticket": ticket, "links": links, "start": start, "start_at": start_at}
    return _simple(by, environment, Act.SCALE, services, said)


def _simple(
    by: Principal, environment: Environment, act: str, services: Sequence[Asked], said: Mapping[str, Any]
) -> Change:
    with acting(by, environment, action="change.request", target=target_of(environment)):
        _may(by, environment)
        errors: Errors = {}
        rows = asking.rows(environment, services, act, errors)
        # More or fewer tasks of what runs prove nothing new about it.
        watched = {"bake_seconds": 0} if act == Act.SCALE else {}
        return _request(by, environment, act, rows, errors, deployment=watched, change=said)


def request_promotion(
    *,
    by: Principal,
    environment: Environment,
    source: Environment,
    services: Sequence[str] = (),
    strategy: str = "",
    strategy_options: Mapping[str, Any] | None = None,
    bake_seconds: int | None = None,
    before_task: Mapping[str, Any] | None = None,
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask here for the digests that `source` runs now; no service named: all that both have.

    Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=target_of(environment)):
        _may(by, environment)
        require(by, source, "environment.view")
        errors: Errors = {}
        rows = asking.promoted(environment, source, services, errors)
        here = [row.service for row in rows]
        chosen, options = strategies.check(strategy, strategy_options, bake_seconds, here, errors)
        return _request(
            by,
            environment,
            Act.DEPLOY,
            rows,
            errors,
            deployment={
                "strategy": chosen,
                "strategy_options": options,
                "bake_seconds": bake_seconds,
                "before_task": before_tasks.wanted(before_task, rows, Act.DEPLOY, errors),
                "promoted_from": source,
            },
            change={"reason": reason, "ticket": ticket, "links": links, "start": start, "start_at": start_at},
        )


def request_rollback(
    *,
    by: Principal,
    environment: Environment,
    deployment: Deployment | None,
    services: Sequence[str] = (),
    also: Sequence[Deployment] = (),
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for what this earlier deployment proved to run, ahead of the queue; no service named: all of its.

    `also`: where services it did not touch go back to. Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=target_of(environment)):
        _may(by, environment)
        if deployment is None:
            raise InvalidInput({"deployment": [_("Choose what to go back to.")]})
        sources = [deployment, *also]
        if any(one.change.environment_id != environment.pk for one in sources):
            raise InvalidInput({"deployment": [_("This deployment is one of another environment.")]})
        errors: Errors = {}
        good = _proven_in(sources)
        if not good:
            raise Conflict(
                _("Nothing of that deployment came out as approved, so there is nothing to go back to."),
                hint=_("Choose one that succeeded."),
            )
        named = list(services) or list(good)
        rows = asking.rolled_back(environment, named, good, errors)
        return _request(
            by,
            environment,
            Act.ROLLBACK,
            rows,
            errors,
            deployment={"rollback_to": deployment},
            change={
                "reason": reason,
                "ticket": ticket,
                "links": links,
                "start": start,
                "start_at": start_at,
                "priority": ROLLBACK_PRIORITY,
            },
        )


def _proven_in(sources: Sequence[Deployment]) -> dict[str, DeploymentPart]:
    """Service ARN -> what the first of these deployments that touched it proved to run."""
    found: dict[str, DeploymentPart] = {}
    for source in sources:
        parts = source.parts.filter(outcome=Outcome.SUCCEEDED).exclude(registered_arn="")
        found |= {part.service_arn: part for part in parts if part.service_arn not in found}
    return found


def _may(by: Principal, environment: Environment) -> None:
    require(by, environment, "change.request")
    if environment.account is None:
        raise Conflict(
            _("%(environment)s has no AWS account, so nothing can be deployed to it.")
            % {"environment": environment},
            hint=_("Choose its account on the environment's page."),
        )


def _request(
    by: Principal,
    environment: Environment,
    act: str,
    rows: Sequence[Row],
    errors: Errors,
    *,
    deployment: Mapping[str, Any],
    change: Mapping[str, Any],
) -> Change:
    """Write the change, its deployment and parts, and replace what is older. Inside the act's transaction."""
    if errors:
        raise InvalidInput(errors)
    superseding.take_turns(environment)
    named = [(row.service.name, row.wanted) for row in rows]
    made = changes.request(
        by=by,
        environment=environment,
        kind=KIND,
        title=titles.title(act, named, environment, deployment.get("promoted_from")),
        **change,
    )
    record = Deployment.objects.create(change=made, act=act, **deployment)
    DeploymentPart.objects.bulk_create(
        DeploymentPart(
            deployment=record,
            position=position,
            address=row.service.address,
            service_arn=row.service.arn,
            service=row.service.name,
            cluster_arn=row.service.cluster_arn,
            container=row.container,
            wanted=dict(row.wanted),
        )
        for position, row in enumerate(rows)
    )
    note_event(made, by=by, action="deployment.request", act=act, services=[asking.told(row) for row in rows])
    superseding.replace_older(record, by=by)
    return made
