"""Tokens with which a build pipeline asks for deployments in one environment."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.models import Environment
from environments.permissions import actor, refusal, require, roles_of
from portal import audit
from portal.accounts.actions import create_token, revoke_token
from portal.accounts.models import SCOPE_DEPLOY, ApiToken, User
from portal.accounts.principals import SYSTEM, Principal
from portal.core.errors import InvalidInput, NotAllowed

MOST_DAYS = 365


def target_of(environment: Environment) -> audit.Target:
    return audit.Target("environment", environment.key, str(environment))


def issue_deploy_token(
    *, by: Principal, environment: Environment, name: str, days: int
) -> tuple[ApiToken, str]:
    """A token that requests and follows deployments here in this person's name; and its text, shown once.

    It passes no gate and approves nothing. It is made at a page, never with a token, by somebody who may
    request changes. Raises NotAllowed, InvalidInput (name, days).
    """
    with acting(by, environment, action="deployment.token", target=target_of(environment)):
        require(by, environment, "deployment.token")
        person = _person(by, environment)
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput({"days": [_("A token lives for 1 to %(n)s days.") % {"n": MOST_DAYS}]})
        token, plain = create_token(
            by=by,
            name=name,
            owner=person,
            scopes=[SCOPE_DEPLOY],
            environment_id=environment.key,
            lifetime=timedelta(days=days),
        )
        _record(by, environment, "deployment.token", token, days=days)
    return token, plain


def revoke_deploy_token(*, by: Principal, environment: Environment, prefix: str) -> None:
    """End such a token at once; deployments that it asked for go on. Raises NotAllowed, InvalidInput."""
    with acting(by, environment, action="deployment.token_revoke", target=target_of(environment)):
        require(by, environment, "deployment.token")
        token = deploy_tokens(environment).filter(prefix=prefix).first()
        if token is None:
            raise InvalidInput({"token": [_("There is no such token.")]})
        _record(by, environment, "deployment.token_revoke", token)
        # Its owner or a portal administrator could do so themselves; an operator here does it for the environment.
        revoke_token(by=SYSTEM, token=token)


def deploy_tokens(environment: Environment) -> QuerySet[ApiToken]:
    """Tokens that deploy here and were not revoked, the latest first."""
    found = ApiToken.objects.filter(environment_id=environment.key, scopes=[SCOPE_DEPLOY], revoked_at=None)
    return found.select_related("user").order_by("-created_at")


def _person(by: Principal, environment: Environment) -> User:
    if by.user is None or by.token is not None:
        raise NotAllowed(_("Sign in for this: no API token hands out another."))
    why = refusal(roles_of(by.user, environment.tenant), "change.request")
    if why:
        raise NotAllowed(
            _("The token would act for you, who may not request changes. %(why)s") % {"why": why}
        )
    return by.user


def _record(by: Principal, environment: Environment, action: str, token: ApiToken, **after: object) -> None:
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=target_of(environment),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after={"prefix": token.prefix, "name": token.name, "person": token.user.username, **after},
    )
