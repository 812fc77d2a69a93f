"""Opening the API: `Authorization: Token ghs_...`, or the session of the pages."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from portal.accounts import throttling
from portal.accounts.models import SCOPE_DEPLOY, SCOPE_READ, SCOPE_WRITE, ApiToken, User
from portal.accounts.principals import Principal, address_of
from portal.audit import Target, record_refusal
from portal.core.clock import local_now

MARK = "ghs"
# A busy script would else write its token's row on every request.
LAST_USED_STEP = timedelta(minutes=1)


def digest_of(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def find_token(plain: str) -> ApiToken | None:
    """The live token with exactly this text, None when it is unknown, expired, revoked or its owner left."""
    token = _token_with(plain)
    return token if token is not None and token.is_live(local_now()) else None


def find_ended_token(plain: str) -> ApiToken | None:
    """The token with exactly this text whose time is over; None when it lives, was revoked or its owner left.

    For whoever has to finish what the token began, and for nothing else.
    """
    token = _token_with(plain)
    if token is None or token.is_live(local_now()) or token.revoked_at is not None:
        return None
    return token if token.user.is_active else None


def _token_with(plain: str) -> ApiToken | None:
    mark, _sep, rest = plain.partition("_")
    prefix = rest.partition("_")[0]
    token: ApiToken | None = None
    if mark == MARK:
        token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    right = hmac.compare_digest(token.digest if token else "0" * 64, digest_of(plain))
    return token if right else None


def note_use(token: ApiToken) -> None:
    """Remembers when the token was last used, to the minute."""
    at = local_now()
    if token.last_used_at is not None and at - token.last_used_at < LAST_USED_STEP:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - LAST_USED_STEP)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at)


def open_with_token(plain: str, *, address: str, request_id: str = "") -> ApiToken | None:
    """The live token with this text, its use noted; None after the failure is counted and audited.

    Raises TooManyAttemptsError when this address failed too often; a right token is let in even then.
    """
    token = find_token(plain)
    if token is not None:
        note_use(token)
        return token
    wait = throttling.attempt(throttling.TOKEN, "", address)
    if wait:
        raise throttling.TooManyAttemptsError(wait)
    shown = plain.split("_")[1][:16] if plain.startswith(f"{MARK}_") else ""
    stranger = Principal(None, "token", address, request_id, name="unknown token")
    record_refusal(
        actor=stranger.actor(),
        action="token.use",
        target=Target("token", shown, f"{MARK}_{shown}_…" if shown else ""),
        reason="unknown, expired or revoked",
    )
    return None


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token ghs_...`; reading needs the scope "read", anything else "write".

    A token narrowed to one environment opens only views that say so by `environment_tokens = True`
    and then ask `Principal.reaches`. A view's `deploy_tokens` are the methods that the scope "deploy" opens.
    """

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = authentication.get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() != self.keyword.lower():
            return None
        if len(words) != 2:
            raise exceptions.AuthenticationFailed(_("Send exactly one token: “Authorization: Token ghs_…”."))
        plain = request._request
        try:
            token = open_with_token(
                words[1], address=address_of(plain), request_id=getattr(plain, "request_id", "")
            )
        except throttling.TooManyAttemptsError as error:
            raise exceptions.Throttled(error.wait) from None
        if token is None:
            raise exceptions.AuthenticationFailed(_("This token is unknown, expired or revoked."))
        self._hold_to_scopes(request, token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword

    def _hold_to_scopes(self, request: Request, token: ApiToken) -> None:
        view = (request.parser_context or {}).get("view")
        if token.environment_id and not getattr(view, "environment_tokens", False):
            raise exceptions.PermissionDenied(
                _("This token opens one environment's state or deployments, and nothing else.")
            )
        needed = SCOPE_READ if request.method in SAFE_METHODS else SCOPE_WRITE
        deploys = SCOPE_DEPLOY in token.scopes and request.method in getattr(view, "deploy_tokens", ())
        if needed not in token.scopes and not deploys:
            raise exceptions.PermissionDenied(
                _("This token may not do that: it lacks the scope “%(scope)s”.") % {"scope": needed}
            )


class SessionAuthentication(authentication.SessionAuthentication):
    """The pages' session, with Django's CSRF check; strangers get 401 and learn how to sign in."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user = found[0]
        if user.must_change_password:
            raise exceptions.PermissionDenied(_("Choose your own password first, on the page of that name."))
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "portal.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Token ghs_<prefix>_<secret>",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "portal.accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
