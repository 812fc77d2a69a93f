"""API tokens: made for oneself, shown once, ended by their owner or a portal administrator."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.authentication import MARK, digest_of
from portal.accounts.models import (
    ALL_SCOPES,
    PERSONAL_SCOPES,
    SCOPE_DEPLOY,
    SCOPE_STATE_WRITE,
    ApiToken,
    User,
)
from portal.accounts.permissions import refuse
from portal.accounts.principals import Principal
from portal.audit import Target, record
from portal.core.clock import now
from portal.core.errors import InvalidInput, NotAllowed, NotFound

DEFAULT_DAYS = 90
MAX_DAYS = 365
# A token that writes Terraform state bypasses the gates: an office day at most.
STATE_WRITE_LIFETIME = timedelta(hours=12)


def create_token(
    *,
    by: Principal,
    name: str,
    days: int = DEFAULT_DAYS,
    scopes: Sequence[str] = PERSONAL_SCOPES,
    owner: User | None = None,
    environment_id: str = "",
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is kept nowhere.

    `owner` other than oneself only for the portal's own commands, or with `environment_id`
    ("tenant.environment"; the caller has checked that `by` may issue it). `lifetime` wins over `days`.
    A token made with a token gets neither more scopes nor a later end than that one.
    Raises InvalidInput (name, days, scopes), NotAllowed.
    """
    holder = owner or by.user
    target = Target("token", "", name)
    if holder is None or not holder.is_active:
        raise NotAllowed(_("A token needs an active person as its owner."))
    own = by.user is not None and by.user.pk == holder.pk
    if not own and by.kind not in ("system", "worker") and not environment_id:
        raise refuse(by, "token.create", target, NotAllowed(_("You can make tokens for yourself only.")))
    _check(name, days, scopes, environment_id, lifetime)
    at = now()
    expires_at = at + (lifetime if lifetime is not None else timedelta(days=days))
    if by.token is not None:
        if not set(scopes) <= set(by.token.scopes):
            message = _("A token cannot make one that may do more than itself.")
            raise refuse(by, "token.create", target, NotAllowed(message))
        expires_at = min(expires_at, by.token.expires_at)
    return _store(by, holder, name.strip(), list(scopes), environment_id, at, expires_at)


def revoke_token(*, by: Principal, token: ApiToken) -> ApiToken:
    """Ends a token at once; ending it twice is no error and leaves one record.

    Raises NotFound for tokens of others (whoever is no portal administrator may not know of them).
    """
    target = Target("token", token.prefix, str(token))
    is_owner = by.user is not None and by.user.pk == token.user_id
    if not is_owner and not by.is_portal_admin and by.kind not in ("system", "worker"):
        raise refuse(by, "token.revoke", target, NotFound(_("There is no such token.")))
    with transaction.atomic():
        at = now()
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at):
            record(
                actor=by.actor(),
                action="token.revoke",
                target=target,
                after={"owner": token.user.username, "revoked_at": at.isoformat()},
            )
    token.refresh_from_db()
    return token


def _check(
    name: str, days: int, scopes: Sequence[str], environment_id: str, lifetime: timedelta | None
) -> None:
    errors: dict[str, list[str]] = {}
    if not name.strip() or len(name.strip()) > 80:
        errors["name"] = [_("Give the token a name of up to 80 characters, such as where it is used.")]
    if lifetime is None and not 1 <= days <= MAX_DAYS:
        errors["days"] = [_("A token lives for 1 to %(max)d days.") % {"max": MAX_DAYS}]
    if not scopes or not set(scopes) <= set(ALL_SCOPES):
        errors["scopes"] = [_("Choose from: %(scopes)s.") % {"scopes": ", ".join(ALL_SCOPES)}]
    elif SCOPE_STATE_WRITE in scopes and (
        not environment_id or lifetime is None or lifetime > STATE_WRITE_LIFETIME
    ):
        errors["scopes"] = [_("Writing state needs an environment and a lifetime of at most 12 hours.")]
    elif SCOPE_DEPLOY in scopes and (not environment_id or len(scopes) > 1):
        errors["scopes"] = [_("A token that deploys is for one environment, and for nothing else.")]
    if errors:
        raise InvalidInput(errors)


def _store(
    by: Principal,
    holder: User,
    name: str,
    scopes: list[str],
    environment_id: str,
    at: datetime,
    expires_at: datetime,
) -> tuple[ApiToken, str]:
    prefix = secrets.token_hex(5)
    plain = f"{MARK}_{prefix}_{secrets.token_hex(24)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=holder,
            name=name,
            prefix=prefix,
            digest=digest_of(plain),
            scopes=scopes,
            environment_id=environment_id,
            created_at=at,
            expires_at=expires_at,
        )
        record(
            actor=by.actor(),
            action="token.create",
            target=Target("token", prefix, str(token)),
            environment=environment_id,
            after={"owner": holder.username, "scopes": scopes, "expires_at": expires_at.isoformat()},
        )
    return token, plain
