"""The ground a deployment stands on: what must be at the start as it was when it was proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.kinds import Later
from environments.changes.models import Change
from environments.deployments.models import Act
from environments.deployments.proposal import counts, digests, ownership, running, secret_versions
from environments.deployments.proposal.running import Running
from environments.deployments.proposal.service_plans import ServicePlan
from environments.deployments.rollout import recognising
from environments.deployments.services import Service, access_of, services_of
from environments.models import Environment
from portal.aws import ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.core.canonical import digest

# While AWS cannot be read, whether it may start is not known: look again then.
RETRY_SECONDS: Final = 20.0
MOVED_ACCOUNT: Final = {
    "account": gettext_lazy("The environment's AWS account has changed; proposed again."),
    "account_kind": gettext_lazy("The environment's AWS account has changed; proposed again."),
    "account_access": gettext_lazy("The role that reaches the AWS account has changed; proposed again."),
    "region": gettext_lazy("The environment's region has changed; proposed again."),
}
# What of a service moved -> what the log, the page and the message to voters say.
MOVED: Final = {
    "running": gettext_lazy(
        "%(service)s runs %(now)s by now, not %(then)s: something else deployed it; proposed again."
    ),
    "deployment": gettext_lazy("%(service)s was deployed anew outside of this change; proposed again."),
    "terraform": gettext_lazy("Terraform made a new task definition for %(service)s; proposed again."),
    "declared": gettext_lazy("What the blueprint declares of %(service)s has changed; proposed again."),
    "secrets": gettext_lazy("A secret of %(service)s has another version by now; proposed again."),
    "desired": gettext_lazy("%(service)s is set to %(now)s tasks by now, not %(then)s; proposed again."),
    "minimum": gettext_lazy("The minimum of %(service)s is %(now)s by now, not %(then)s; proposed again."),
    "maximum": gettext_lazy("The maximum of %(service)s is %(now)s by now, not %(then)s; proposed again."),
}


def ground(environment: Environment) -> dict[str, str]:
    """Which AWS, and how it is reached."""
    account = environment.account
    return {
        "account": account.account_id if account else "",
        "account_kind": account.kind if account else "",
        "account_access": digest([account.role_arn, account.external_id]) if account else "",
        "region": environment.region,
    }


def base_of(environment: Environment, plans: Sequence[ServicePlan]) -> dict[str, Any]:
    """What must still hold when this proposal is executed."""
    services = {
        plan.service.arn: _of_service(
            plan.service,
            plan.running,
            plan.terraform_arn,
            plan.secrets,
            wanted=plan.part.wanted if plan.part.deployment.act == Act.SCALE else {},
        )
        for plan in plans
    }
    return {**ground(environment), "services": services}


def _of_service(
    service: Service,
    now: Running,
    terraform: str,
    secrets: Mapping[str, str],
    *,
    wanted: Mapping[str, Any],
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "running": now.arn,
        "deployment": str(recognising.primary(now.service).get("id") or ""),
        "terraform": terraform,
        "declared": digests.of_declaration(service),
        "secrets": digest(secrets),
        # For a rollback's preview: which secrets have another value by then. Ids, never values.
        "secret_versions": dict(secrets),
    }
    if wanted:
        there = counts.present(now)
        # A count that is not asked for may move by itself.
        found |= {name: there[name] for name in counts.NAMES if name != "desired" or "desired" in wanted}
    return found


def moved(change: Change) -> str | None:
    """Why the current proposal no longer fits what is there; None while it does.

    Raises Later while AWS cannot be read. What AWS refuses for good is proposed again: that says so and fails.
    """
    proposal = change.proposal
    if proposal is None:
        return _("There is no proposal.")
    for name, value in ground(change.environment).items():
        if proposal.base.get(name) != value:
            return str(MOVED_ACCOUNT[name])
    try:
        return _services_moved(change, proposal.base.get("services", {}))
    except AwsError as refused:
        if not refused.permanent:
            raise Later(RETRY_SECONDS) from refused
        return _("What runs could not be read (%(why)s); proposed again.") % {"why": refused.message}


def _services_moved(change: Change, base: Mapping[str, Mapping[str, Any]]) -> str | None:
    environment, act = change.environment, change.deployment.act
    access = access_of(environment)
    here = {service.arn: service for service in services_of(environment)}
    parts = list(change.deployment.parts.all())
    gone = [part.service for part in parts if part.service_arn not in here]
    if access is None or gone:
        return _("The inventory holds %(names)s no more; proposed again.") % {"names": ", ".join(gone)}
    found = running.rows(access, [here[part.service_arn] for part in parts])
    for part in parts:
        service, then = here[part.service_arn], base.get(part.service_arn, {})
        row = found.get(service.arn)
        if row is None or row.get("status") != "ACTIVE":
            return _("ECS has no running service %(service)s any more; proposed again.") % {
                "service": part.service
            }
        wanted = part.wanted if act == Act.SCALE else {}
        now = _now(
            access, environment, service, row, scales=act == Act.SCALE, rendered=_rendered(change, part.pk)
        )
        text = _differs(service, then, _of_service(service, *now, wanted=wanted))
        if text:
            return text
    return None


def _rendered(change: Change, part: int) -> Mapping[str, Any]:
    assert change.proposal is not None
    row = change.proposal.services.filter(part=part).first()
    return row.rendered if row else {}


def _now(
    access: AccountAccess,
    environment: Environment,
    service: Service,
    row: Mapping[str, Any],
    *,
    scales: bool,
    rendered: Mapping[str, Any],
) -> tuple[Running, str, dict[str, str]]:
    """The service as it is read again, Terraform's newest revision, the versions of the secrets it would get."""
    now = Running(row, {}, "", running.scaling_of(access, service) if scales else None)
    family = ownership.family_of(now.arn)
    terraform = ownership.newest_of_terraform(environment, service.declaration, family)
    if scales:
        return now, terraform, {}
    definition = rendered or ecs.describe_task_definition(access, now.arn)
    return now, terraform, secret_versions.versions(access, definition)


def _differs(service: Service, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for name, text in MOVED.items():
        if then.get(name) != now.get(name):
            said = {"service": service.name, "then": _short(then.get(name)), "now": _short(now.get(name))}
            return str(text) % said
    return ""


def _short(value: Any) -> str:
    return str(value).rpartition("/")[2] if isinstance(value, str) else str(value)
