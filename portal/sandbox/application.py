"""The WSGI application: moto's dispatcher behind the gate, with addresses of our own.

``GET /sandbox/healthz``, ``POST /sandbox/snapshot`` and the controls (controls.py) are answered only without
an AWS signature, so a bucket named "sandbox" stays usable.
"""

import json
import logging
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import moto
from flask import Flask
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from portal.sandbox import additions, controls, pickling, trail
from portal.sandbox.gate import RequestGate
from portal.sandbox.keeper import Keeper
from portal.sandbox.refusals import refuse, unsupported_message
from portal.sandbox.requests import action_of, body_of, is_signed, may_change

log = logging.getLogger(__name__)

_CONTROLS = ("/sandbox/", "/moto-api/")


class SandboxApplication:
    """Everything that a request goes through."""

    def __init__(self, gate: RequestGate, keeper: Keeper) -> None:
        self._gate = gate
        self._keeper = keeper
        self._since = datetime.now(UTC)
        self._moto = DomainDispatcherApplication(_service_application)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(_CONTROLS) and not is_signed(environ):
            if "HTTP_ORIGIN" in environ and environ.get("REQUEST_METHOD") != "GET":
                # Any page open in a browser on this machine could send this: one form would empty it all.
                return _json(start_response, "403 Forbidden", {"error": "not from a web page"})
            if path.startswith("/sandbox/"):
                return self._own(environ, start_response)
        changing = may_change(environ, action_of(environ))
        if changing:
            body_of(environ)  # once moto has read the body it is too late for the trail
        with self._gate.passing(changing=changing):
            return self._ask_moto(environ, start_response, changing=changing)

    def _ask_moto(self, environ: dict[str, Any], start_response: Any, *, changing: bool) -> Iterable[bytes]:
        answer = _Answer()
        try:
            with closing(self._moto(environ, answer.start)) as parts:
                body = b"".join(parts)
        except NotImplementedError as error:
            message = unsupported_message(environ, str(error))
            return refuse(environ, start_response, code="UnsupportedOperation", message=message)
        except Exception as error:
            # A mistake of moto's or ours gives the same result at each retry, so a 500 would only delay it.
            log.exception("%s failed", action_of(environ) or environ.get("PATH_INFO"))
            message = f"The sandbox failed to answer: {error!r}"
            return refuse(environ, start_response, code="SandboxFailure", message=message)
        if answer.status.startswith("404") and body.startswith(b"<!doctype html>"):
            message = unsupported_message(environ, "")
            return refuse(environ, start_response, code="UnsupportedOperation", message=message)
        if changing and answer.status.startswith("2"):
            _record(environ)
        start_response(answer.status, answer.headers)
        return [body]

    def _own(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = (environ.get("REQUEST_METHOD", "GET"), environ["PATH_INFO"])
        if asked == ("GET", "/sandbox/healthz"):
            health = self.health()
            return _json(start_response, "200 OK" if health["ok"] else "503 Service Unavailable", health)
        if asked == ("POST", "/sandbox/snapshot"):
            saved = self._keeper.save()
            status = "200 OK" if saved else "503 Service Unavailable"
            return _json(start_response, status, {"saved": saved, "error": self._keeper.error})
        if controls.is_control(*asked):
            return self._control(environ, start_response)
        if asked[0] == "GET" and asked[1].startswith("/sandbox/ecr/blob/"):
            return self._blob(asked[1], start_response)
        return _json(start_response, "404 Not Found", {"error": "no such address"})

    def _control(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            with self._gate.passing(changing=True):
                answer = controls.answer(environ["PATH_INFO"], environ)
        except controls.ControlError as error:
            return _json(start_response, "400 Bad Request", {"error": str(error)})
        return _json(start_response, "200 OK", answer)

    def _blob(self, path: str, start_response: Any) -> Iterable[bytes]:
        """A layer of an image, at the address that GetDownloadUrlForLayer gave."""
        from portal.sandbox.ecs.registry import blob

        with self._gate.passing(changing=False):
            content = blob(path)
        if content is None:
            return _json(start_response, "404 Not Found", {"error": "no such layer"})
        headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(content)))]
        start_response("200 OK", headers)
        return [content]

    def health(self) -> dict[str, Any]:
        """What ``/sandbox/healthz`` says; times are ISO 8601 in UTC, ages in seconds."""
        keeper = self._keeper
        age = (datetime.now(UTC) - keeper.saved_at).total_seconds() if keeper.saved_at else None
        return {
            "ok": not keeper.error and not keeper.left_out,
            "since": self._since.isoformat(),
            "restored_at": keeper.restored_at.isoformat() if keeper.restored_at else None,
            "snapshot_age_s": age,
            "unsaved_changes": keeper.unsaved_changes,
            "error": keeper.error,
            "left_out": list(keeper.left_out),
            "accounts": sorted(
                {account for _, _, held in pickling.backend_dicts() for account in list(held)}
            ),
            "moto": moto.__version__,
        }


def _record(environ: dict[str, Any]) -> None:
    try:
        trail.record(environ)
    except Exception:
        # The call itself has been done and must be answered.
        log.exception("%s could not be recorded", action_of(environ))


class _Answer:
    """Remembers what moto says, so that it can still be replaced."""

    status = ""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """The ``start_response`` that moto gets."""
        self.status, self.headers = status, headers


def _service_application(service: Any) -> Flask:
    """Moto's application for one service, made at the first request for it, with our additions."""
    additions.load(service)
    return create_backend_app(service)


def _json(start_response: Any, status: str, content: dict[str, Any]) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
