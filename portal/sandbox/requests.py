"""What a raw AWS request says about itself, before moto reads it."""

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_READING = re.compile(
    r"(Describe|Get|List|Head|Lookup|BatchGet|BatchDescribe|Query|Scan|Search|Select|Filter|Validate|Test|Simulate|Decode)"
)
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_CBOR_OPERATION = re.compile(r"/service/[^/]+/operation/(?P<name>[^/]+)")
_FORM = "application/x-www-form-urlencoded"
_REMEMBERED, _BODY = "sandbox.action", "sandbox.body"
_MOST_JSON = 1_000_000  # bytes of a JSON body that are read ahead of moto


@dataclass(frozen=True)
class Credential:
    """What a signature says: who signs, for which region and service (its signing name)."""

    access_key: str
    region: str
    service: str


def is_signed(environ: dict[str, Any]) -> bool:
    """Whether the request carries an AWS signature, in its headers or its URL."""
    return "HTTP_AUTHORIZATION" in environ or "X-Amz-Signature" in environ.get("QUERY_STRING", "")


def credential_of(environ: dict[str, Any]) -> Credential | None:
    """What the signature in the request's header says, or None when there is none."""
    match = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return Credential(match[1], match[2], match[3].lower()) if match else None


def service_of(environ: dict[str, Any]) -> str:
    """The signing name of the service ("ec2", "s3", ...), or "" when the request does not say."""
    credential = credential_of(environ)
    return credential.service if credential else ""


def action_of(environ: dict[str, Any]) -> str:
    """The name of the API action ("DescribeServices"), or "" for a protocol that has only a path.

    Reads a form body and puts it back, so moto can read it again; later calls know the answer.
    """
    if _REMEMBERED not in environ:
        environ[_REMEMBERED] = _find_action(environ)
    action: str = environ[_REMEMBERED]
    return action


def _find_action(environ: dict[str, Any]) -> str:
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    cbor = _CBOR_OPERATION.fullmatch(environ.get("PATH_INFO", ""))
    if cbor:
        return str(cbor["name"])
    query: str = environ.get("QUERY_STRING", "")
    is_form = environ.get("CONTENT_TYPE", "").startswith(_FORM)
    for form in (query, body_of(environ).decode("utf-8", "replace") if is_form else ""):
        if "Action=" in form:
            return parse_qs(form).get("Action", [""])[0]
    return ""


def may_change(environ: dict[str, Any], action: str) -> bool:
    """Whether the request may change the content; in doubt it may."""
    if action:
        return _READING.match(action) is None
    return environ.get("REQUEST_METHOD", "GET") not in {"GET", "HEAD", "OPTIONS"}


def body_of(environ: dict[str, Any]) -> bytes:
    """The body, if it is a form or JSON of moderate size, else nothing; moto can read it again."""
    if _BODY not in environ:
        environ[_BODY] = _read_ahead(environ)
    body: bytes = environ[_BODY]
    return body


def _read_ahead(environ: dict[str, Any]) -> bytes:
    kind: str = environ.get("CONTENT_TYPE", "")
    length = environ.get("CONTENT_LENGTH") or "0"
    is_form, is_json = kind.startswith(_FORM), "json" in kind
    if not length.isdigit() or not (is_form or (is_json and int(length) <= _MOST_JSON)):
        return b""
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
