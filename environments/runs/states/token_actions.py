"""Tokens with which a terraform command line writes one state: handed out by an admin, for hours."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.models import Environment
from environments.permissions import refusal, require, roles_of
from environments.runs.actions import target_of
from environments.runs.reasons import given_reason
from environments.runs.states import store
from portal.accounts.actions import create_token, revoke_token
from portal.accounts.models import SCOPE_STATE_WRITE, ApiToken, User
from portal.accounts.principals import SYSTEM, Principal
from portal.core.errors import InvalidInput, NotAllowed

MOST_HOURS = 12


def issue_state_token(
    *, by: Principal, environment: Environment, person: User, hours: int, reason: str
) -> tuple[ApiToken, str]:
    """A token with which this person's terraform may write this state, for 1 to 12 hours; and its text, shown once.

    What is written with it passes no gate, so it is an admin's to give, at a page: never with a token.
    Raises NotAllowed, InvalidInput.
    """
    with acting(by, environment, action="state.token", target=target_of(environment)):
        require(by, environment, "state.token")
        if by.token is not None:
            raise NotAllowed(_("Sign in for this: no API token hands out a token that writes state."))
        text = given_reason(reason)
        errors: dict[str, list[str]] = {}
        if not 1 <= hours <= MOST_HOURS:
            errors["hours"] = [_("A token that writes lives for 1 to %(n)s hours.") % {"n": MOST_HOURS}]
        why = refusal(roles_of(person, environment.tenant), "state.write")
        if not person.is_active or why:
            errors["person"] = [
                _("%(who)s may not write this state. %(why)s") % {"who": person, "why": why or ""}
            ]
        if errors:
            raise InvalidInput(errors)
        token, plain = create_token(
            by=by,
            name=_("terraform for %(environment)s") % {"environment": environment.key[:50]},
            owner=person,
            scopes=[SCOPE_STATE_WRITE],
            environment_id=environment.key,
            lifetime=timedelta(hours=hours),
        )
        store.record(
            environment,
            by,
            "state.token",
            token=token.prefix,
            person=person.username,
            hours=hours,
            reason=text,
        )
    return token, plain


def revoke_state_token(*, by: Principal, environment: Environment, prefix: str) -> None:
    """End a token that writes this state, at once, even while it holds the lock. Raises NotAllowed, InvalidInput."""
    with acting(by, environment, action="state.token_revoke", target=target_of(environment)):
        require(by, environment, "state.token")
        token = state_tokens(environment).filter(prefix=prefix).first()
        if token is None:
            raise InvalidInput({"token": [_("There is no such token.")]})
        store.record(environment, by, "state.token_revoke", token=token.prefix, person=token.user.username)
        # Its owner or a portal administrator could do so themselves; a tenant's admin does it here.
        revoke_token(by=SYSTEM, token=token)


def state_tokens(environment: Environment) -> QuerySet[ApiToken]:
    """Tokens that were issued to write this state and were not revoked, the latest first."""
    found = ApiToken.objects.filter(
        environment_id=environment.key, scopes=[SCOPE_STATE_WRITE], revoked_at=None
    )
    return found.select_related("user").order_by("-created_at")
