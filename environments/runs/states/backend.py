"""Terraform's http backend: GET, POST, DELETE, LOCK, UNLOCK on one address an environment.

A run signs in with its own credential, a person with an API token as password: an ordinary one reads, one that an
admin issued for this state writes as well.
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
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from environments.models import Environment
from environments.permissions import refusal, roles_of
from environments.runs import credentials
from environments.runs.models import StateLock
from environments.runs.states import store as state
from environments.runs.states.store import Writer
from portal.accounts.authentication import find_ended_token, open_with_token
from portal.accounts.models import SCOPE_READ, SCOPE_STATE_WRITE, ApiToken
from portal.accounts.principals import Principal, address_of
from portal.core.errors import GatehouseError

# A token opens the state with one of these scopes; one made for writing elsewhere does not.
READING = frozenset({SCOPE_READ, SCOPE_STATE_WRITE})
# Terraform's lock document has a few hundred bytes.
LOCK_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Caller:
    """Who speaks to the backend and what they may do."""

    by: Principal
    writer: Writer
    may_write: bool
    # For a person: where to get what it takes.
    advice: str = ""


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
    return _person_of(request, environment, password) if password else None


def _person_of(request: HttpRequest, environment: Environment, password: str) -> Caller | None:
    """Whoever holds this API token, if it opens this state.

    A token that writes and ends while it holds the lock goes on until its UNLOCK, as a run's credential does:
    Terraform's last write must not be lost. Revoked, or its owner gone, it opens nothing at once.
    """
    request_id = getattr(request, "request_id", "")
    token = _finishing(password, environment) or open_with_token(
        password, address=address_of(request), request_id=request_id
    )
    if token is None:
        return None
    name = f"{token.user} (token {token.name})"
    person = Principal(token.user, "token", address_of(request), request_id, token, name)
    if not person.reaches(environment.key) or not READING & set(token.scopes):
        return None
    writes = SCOPE_STATE_WRITE in token.scopes and token.environment_id == environment.key
    if refusal(roles_of(token.user, environment.tenant), "state.write" if writes else "state.read"):
        return None
    advice = _("this token only reads; an admin issues one that writes, on the page State versions")
    return Caller(person, Writer(name, token=token), may_write=writes, advice=advice)


def _finishing(password: str, environment: Environment) -> ApiToken | None:
    token = find_ended_token(password)
    if token is None or not StateLock.objects.filter(environment=environment, token=token).exists():
        return None
    return token


def read_body(request: HttpRequest, most: int) -> bytes | None:
    """The body in pieces, past Django's limit for forms; None when it is larger than `most` bytes."""
    parts: list[bytes] = []
    size = 0
    while piece := request.read(1024 * 1024):
        size += len(piece)
        if size > most:
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
            # Of a lock's document Terraform shows its user the ID and nothing else.
            return JsonResponse({**locked.info, **self._told(locked.message)}, status=423)
        except GatehouseError as refused:
            if request.method == "LOCK" and refused.status == 409:
                return JsonResponse({"ID": refused.message}, status=409)
            return _problem(refused.status, refused.message)
        except UnreadablePostError:
            return _problem(400, _("The body broke off on its way; send it again."))

    def _told(self, text: str) -> dict[str, str]:
        """The ID of a lock as a person's Terraform shows it; a run's stays what it is."""
        return {"ID": text} if self.caller.advice else {}

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
        answer = HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        answer["Content-MD5"] = base64.b64encode(digest).decode()
        return answer

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not self.caller.may_write:
            return _problem(403, _("This credential may read the state, not write it."))
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return _problem(415, _("Send the state as it is, not compressed."))
        body = read_body(request, settings.STATE_MAX_BYTES)
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
            return self._reads_only(_("This credential may read the state, not lock it."))
        state.lock(self.environment, self._info(request), writer=self.caller.writer, by=self.caller.by)
        return HttpResponse(status=200)

    def _reads_only(self, text: str) -> HttpResponse:
        """Refuse to lock: Terraform shows nothing but the ID in a lock's document, so a person's advice stands there."""
        if not self.caller.advice:
            return _problem(403, text)
        state.record_refusal(self.environment, self.caller.by, "state.lock", text)
        return JsonResponse({"ID": self.caller.advice, "Info": text}, status=423)

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
            info = json.loads(read_body(request, LOCK_MAX_BYTES) or b"{}")
        except (ValueError, RecursionError):
            info = {}
        return info if isinstance(info, dict) else {}
