"""What people do about the status of services: ask for a look now."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.acts import acting
from environments.deployments.services import access_of, services_of
from environments.deployments.status import checks
from environments.models import Environment
from environments.permissions import actor, require
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict


def look_now(*, by: Principal, environment: Environment) -> None:
    """Ask for a look at the environment's services. Raises NotAllowed, Conflict where there is nothing to look at."""
    target = audit.Target("environment", environment.key, str(environment))
    with acting(by, environment, action="service.look", target=target):
        require(by, environment, "service.look")
        if access_of(environment) is None:
            raise Conflict(_("This environment has no AWS account, so there is nothing to look at."))
        if not services_of(environment):
            raise Conflict(_("The inventory of this environment holds no ECS service."))
        checks.look_again(environment, tasks=True)
        audit.record(
            actor=actor(by, environment),
            action="service.look",
            target=target,
            tenant=environment.tenant.ref,
            environment=environment.slug,
        )
