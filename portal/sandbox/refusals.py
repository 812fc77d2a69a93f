"""Answers to what the sandbox cannot do: a clear 400 in the caller's own protocol.

Moto answers 500, which SDKs retry for minutes; a client error ends the call at once and names the action.
"""

import json
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from portal.sandbox.requests import action_of, service_of

_REST_XML = frozenset({"cloudfront", "route53", "s3"})
_STATUS = "400 Bad Request"


def refuse(environ: dict[str, Any], start_response: Any, *, code: str, message: str) -> Iterable[bytes]:
    """Answer the request with an AWS error of that code and message."""
    content_type, body = _error_body(environ, code, message)
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("x-amzn-errortype", code),
        ("x-amzn-requestid", "sandbox"),
    ]
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        headers.append(("smithy-protocol", "rpc-v2-cbor"))
    start_response(_STATUS, headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def unsupported_message(environ: dict[str, Any], detail: str) -> str:
    """A sentence that names what was asked for; ``detail`` is moto's own, possibly empty."""
    wanted = action_of(environ) or f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
    service = service_of(environ)
    sentence = f"The sandbox does not implement {service + ' ' if service else ''}{wanted}."
    return f"{sentence} ({detail})" if detail else sentence


def _error_body(environ: dict[str, Any], code: str, message: str) -> tuple[str, bytes]:
    service = service_of(environ)
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return "application/cbor", _cbor_map({"__type": code, "message": message})
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "s3":
        return "application/xml", f"<Error>{error}</Error>".encode()
    if service == "ec2":
        xml = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>sandbox</RequestID></Response>"
        return "text/xml", xml.encode()
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if form or service in _REST_XML:
        xml = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
            "<RequestId>sandbox</RequestId></ErrorResponse>"
        )
        return "text/xml", xml.encode()
    return "application/json", json.dumps({"__type": code, "message": message}).encode()


def _cbor_map(fields: dict[str, str]) -> bytes:
    """RFC 8949 for the only shape needed here: a map of fewer than 24 text strings."""
    encoded = bytes([0xA0 | len(fields)])
    for text in (part for field in fields.items() for part in field):
        raw = text.encode()
        encoded += b"\x79" + len(raw).to_bytes(2, "big") + raw
    return encoded
