"""What a raw AWS request says about itself, before moto reads it."""

import io
import re
from typing import Any
from urllib.parse import parse_qs

_READING = re.compile(
    r"(Describe|Get|List|Head|Lookup|BatchGet|BatchDescribe|Query|Scan|Search|Select|Filter|Validate|Test|Simulate|Decode)"
)
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request")
_CBOR_OPERATION = re.compile(r"/service/[^/]+/operation/(?P<name>[^/]+)")
_FORM = "application/x-www-form-urlencoded"
_REMEMBERED = "sandbox.action"


def is_signed(environ: dict[str, Any]) -> bool:
    """Whether the request carries an AWS signature, in its headers or its URL."""
    return "HTTP_AUTHORIZATION" in environ or "X-Amz-Signature" in environ.get("QUERY_STRING", "")


def service_of(environ: dict[str, Any]) -> str:
    """The signing name of the service ("ec2", "s3", ...), or "" when the request does not say."""
    match = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return match.group("service").lower() if match else ""


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
    for form in (query, _form_body(environ)):
        if "Action=" in form:
            return parse_qs(form).get("Action", [""])[0]
    return ""


def may_change(environ: dict[str, Any], action: str) -> bool:
    """Whether the request may change the content; in doubt it may."""
    if action:
        return _READING.match(action) is None
    return environ.get("REQUEST_METHOD", "GET") not in {"GET", "HEAD", "OPTIONS"}


def _form_body(environ: dict[str, Any]) -> str:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM) or not length.isdigit():
        return ""
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode("utf-8", "replace")
