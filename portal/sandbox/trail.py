"""Who changed what: every changing call, kept as CloudTrail keeps management events.

Written only by the application, read by the addition to CloudTrail. As in AWS, calls on data (objects,
messages, metrics) are not recorded, and calls to global services are found in us-east-1.
"""

import json
import re
from collections import deque
from typing import Any
from urllib.parse import parse_qsl

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random
from werkzeug.exceptions import NotFound

from portal.sandbox.accounts import account_of
from portal.sandbox.patching import store
from portal.sandbox.requests import action_of, body_of, credential_of
from portal.sandbox.trail_request import request_parameters

MOST_EVENTS = 2_000  # per account and region; the oldest go first
_MOST_BODY = 200_000  # bytes that are looked through for names of resources

_GLOBAL_SERVICES = frozenset({"iam", "cloudfront", "route53", "budgets", "ce", "organizations"})
_DATA = re.compile(
    r"AssumeRole|SendMessage|ReceiveMessage|DeleteMessage|ChangeMessageVisibility|Publish|PutMetricData"
    r"|PutLogEvents|PutEvents|PutRecord|PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems"
    r"|Invoke|Encrypt|Decrypt|GenerateDataKey|(Put|Delete|Copy)Object(s)?$|(Create|Complete|Abort)MultipartUpload"
    r"|UploadPart"
)
# Where a signing name and the service's own name, as botocore has it, are not the same.
_BOTOCORE_NAMES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2", "states": "stepfunctions"}
_RESOURCE = re.compile(
    r"(name|id|ids|identifier|arn|bucket|cluster|service|target|function|family|alias)(\.\d+)?$", re.I
)


def record(environ: dict[str, Any]) -> None:
    """Keep one event for a changing request that succeeded; nothing for requests that say too little."""
    credential = credential_of(environ)
    action = action_of(environ) or _rest_action(environ, credential.service) if credential else ""
    if credential is None or not action or _DATA.match(action):
        return
    account = account_of(credential.access_key) or DEFAULT_ACCOUNT_ID
    event = {
        "id": str(mock_random.uuid4()),
        "time": unix_time(),
        "name": action,
        "source": f"{credential.service}.amazonaws.com",
        "access_key": credential.access_key,
        "identity": _identity(account, credential.access_key),
        "region": credential.region,
        "account": account,
        "address": environ.get("REMOTE_ADDR", ""),
        "agent": environ.get("HTTP_USER_AGENT", ""),
        "resources": _resources(environ),
        "parameters": request_parameters(action, environ.get("PATH_INFO", ""), body_of(environ)),
    }
    region = "us-east-1" if credential.service in _GLOBAL_SERVICES else credential.region
    events_of(account, region).append(event)


def events_of(account: str, region: str) -> deque[dict[str, Any]]:
    """What is kept for an account in a region, oldest first."""
    from moto.cloudtrail.models import cloudtrail_backends

    kept = store(cloudtrail_backends[account][region], "trail")
    events: deque[dict[str, Any]] = kept.setdefault("events", deque(maxlen=MOST_EVENTS))
    return events


def _rest_action(environ: dict[str, Any], service: str) -> str:
    """The action's name for protocols that have only a method and a path."""
    try:
        router = get_service_router(_BOTOCORE_NAMES.get(service, service))
        operation, _ = router.match(Request({**environ, "wsgi.input": None}))
    except (NotFound, NotImplementedError, LookupError):
        return ""
    return str(operation.name)


def _identity(account: str, access_key: str) -> dict[str, str]:
    """Who holds the key: kind, ARN and the name that CloudTrail lists."""
    from moto.sts.models import sts_backends

    user_id, arn, _ = sts_backends[account]["aws"].get_caller_identity(access_key, "us-east-1")
    kind = "AssumedRole" if ":assumed-role/" in arn else "IAMUser" if ":user/" in arn else "Root"
    name = arn.rpartition("/")[2] if kind != "Root" else "root"
    return {"type": kind, "arn": arn, "principal": user_id, "name": name}


def _resources(environ: dict[str, Any]) -> list[str]:
    """Names, ids and ARNs that the request gives, in its path or in its parameters."""
    body = body_of(environ)[:_MOST_BODY]
    if body.lstrip().startswith(b"{"):
        try:
            parameters = list(json.loads(body).items())
        except ValueError:
            parameters = []
    else:
        parameters = parse_qsl(body.decode("utf-8", "replace"))
    found = [part for part in environ.get("PATH_INFO", "").split("/") if part]
    for name, value in parameters:
        if _RESOURCE.search(name):
            found += [
                item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)
            ]
    return list(dict.fromkeys(found))
