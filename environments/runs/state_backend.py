"""Terraform's http backend: GET, POST, DELETE, LOCK, UNLOCK on one address an environment.

A run signs in with its own credential, a person with an API token as password (reading only).
Protocol: https://developer.hashicorp.com/terraform/language/backend/http
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from environments.models import Environment
from environments.permissions import refusal, roles_of
from environments.runs import credentials, state
from environments.runs.state import Writer
from portal.accounts.authentication import open_with_token
from portal.accounts.models import SCOPE_READ, SCOPE_STATE_WRITE
from portal.accounts.principals import Principal, address_of
from portal.core.errors import GatehouseError

# A token opens the state with one of these scopes; one made for writing elsewhere does not.
READING = frozenset({SCOPE_READ, SCOPE_STATE_WRITE})


@dataclass(frozen=True)
class Caller:
    """Who speaks to the backend and what they may do."""

    by: Principal
    writer: Writer
    may_write: bool


def basic_words(request: HttpRequest) -> tuple[str, str]:
    """User and password of HTTP basic authentication; empty when there are none."""
    scheme, _space, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def caller_of(request: HttpRequest, environment: Environment) -> Caller | None:
    """The run or person behind the request, if this environment's state is theirs to touch."""
    user, password = basic_words(request)
    credential = credentials.check(user, password)
    if credential is not None:
        if credential.change.environment_id != environment.pk:
            return None
        name = f"run {credential.change.uuid}"
        by = Principal(None, "worker", address_of(request), getattr(request, "request_id", ""), name=name)
        return Caller(by, Writer.of(credential), credential.may_write)
    if not password:
        return None
    request_id = getattr(request, "request_id", "")
    token = open_with_token(password, address=address_of(request), request_id=request_id)
    if token is None:
        return None
    person = Principal(
        token.user, "token", address_of(request), request_id, token, f"{token.user} (token {token.name})"
    )
    if not person.reaches(environment.key) or not READING & set(token.scopes):
        return None
    if refusal(roles_of(person.user, environment.tenant), "state.read"):
        return None
    return Caller(person, Writer(person.name), may_write=False)


def read_body(request: HttpRequest) -> bytes | None:
    """The body in pieces, past Django's limit for forms; None when it is larger than a state may be."""
    parts: list[bytes] = []
    size = 0
    while piece := request.read(1024 * 1024):
        size += len(piece)
        if size > settings.STATE_MAX_BYTES:
            return None
        parts.append(piece)
    return b"".join(parts)


def _problem(status: int, text: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


@method_decorator(csrf_exempt, name="dispatch")
class StateBackend(View):
    """The state of one environment, as Terraform's http backend speaks to it."""

    access_rule = "machine"
    http_method_names = ["get", "post", "delete", "lock", "unlock"]

    environment: Environment
    caller: Caller

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if not self._let_in(request, f"{kwargs['tenant']}.{kwargs['slug']}"):
                answer = _problem(401, _("Sign in with the run's credential or an API token."))
                answer["WWW-Authenticate"] = 'Basic realm="Gatehouse state"'
                return answer
            return super().dispatch(request, *args, **kwargs)
        except state.Locked as locked:
            return JsonResponse(locked.info, status=423)
        except GatehouseError as refused:
            return _problem(refused.status, refused.message)

    def _let_in(self, request: HttpRequest, key: str) -> bool:
        found = Environment.objects.select_related("tenant").by_key(key).first()
        caller = caller_of(request, found) if found else None
        if found is None or caller is None:
            return False
        self.environment, self.caller = found, caller
        return True

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        content = state.read(self.environment, by=self.caller.by)
        if content is None:
            return HttpResponse(status=204)
        answer = HttpResponse(content, content_type="application/json")
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        answer["Content-MD5"] = base64.b64encode(digest).decode()
        return answer

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not self.caller.may_write:
            return _problem(403, _("This credential may read the state, not write it."))
        body = read_body(request)
        if body is None:
            return _problem(413, _("The state is larger than this portal accepts."))
        expected = request.headers.get("Content-MD5")
        if (
            expected
            and base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != expected
        ):
            return _problem(400, _("The body was damaged on its way; send it again."))
        state.write(
            self.environment,
            body,
            lock_id=request.GET.get("ID", ""),
            writer=self.caller.writer,
            by=self.caller.by,
        )
        return HttpResponse(status=200)

    def delete(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        return _problem(403, _("States are never deleted here."))

    def lock(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not self.caller.may_write:
            return _problem(403, _("This credential may read the state, not lock it."))
        state.lock(self.environment, self._info(request), writer=self.caller.writer, by=self.caller.by)
        return HttpResponse(status=200)

    def unlock(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not self.caller.may_write:
            return _problem(403, _("This credential may read the state, not unlock it."))
        info = self._info(request)
        state.unlock(
            self.environment, lock_id=str(info.get("ID", "")), writer=self.caller.writer, by=self.caller.by
        )
        return HttpResponse(status=200)

    def _info(self, request: HttpRequest) -> dict[str, Any]:
        """The lock document; `terraform force-unlock` sends none."""
        try:
            info = json.loads(read_body(request) or b"{}")
        except ValueError:
            info = {}
        return info if isinstance(info, dict) else {}
