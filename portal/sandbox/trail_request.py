"""What a request asked for, in the form CloudTrail keeps it: names with a small first letter, lists as items.

Kept for the calls that open something to others, which is what people look up; never a password.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

_KEPT = re.compile(
    r"AuthorizeSecurityGroup|Attach(Role|User|Group)Policy|Put(Role|User|Group)Policy|CreatePolicyVersion"
    r"|(Put|Delete)(Bucket(Policy|Acl|PublicAccessBlock)|PublicAccessBlock)|ModifyDBInstance$"
)
_SECRET = re.compile(r"password|secret|token", re.I)
_MOST = 50_000


def request_parameters(action: str, path: str, body: bytes) -> dict[str, Any] | None:
    """The parameters of a form request, or the bucket of one to S3; None for calls of other kinds."""
    if not _KEPT.match(action):
        return None
    if "Bucket" in action or "PublicAccessBlock" in action:
        return {"bucketName": path.strip("/").partition("/")[0]}
    nested: dict[str, Any] = {}
    for name, value in parse_qsl(body[:_MOST].decode("utf-8", "replace")):
        if name not in ("Action", "Version") and not _SECRET.search(name):
            _put(nested, name.split("."), value)
    written = _written(nested)
    return written if isinstance(written, dict) else None


def _put(into: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        into = into.setdefault(step, {})
        if not isinstance(into, dict):
            return
    into[steps[-1]] = value


def _written(value: Any) -> Any:
    if not isinstance(value, dict):
        return _plain(value)
    if value and all(key.isdigit() for key in value):
        return {"items": [_written(value[key]) for key in sorted(value, key=int)]}
    return {key[:1].lower() + key[1:]: _written(part) for key, part in value.items()}


def _plain(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text
