"""Letting something go wrong in the demonstration: a fault switched on at a service in the sandbox."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException

from django.conf import settings
from django.utils.translation import gettext as _

from portal.core.errors import GatehouseError

TIMEOUT = 10


class FaultRefusedError(GatehouseError):
    """The fault was not switched on; the message says why."""

    status = 409


def switch(service: str, fault: str, *, account: str = "") -> str:
    """Let this fault happen to a running service of the sandbox ("none" ends it); returns the service's ARN.

    Raises FaultRefusedError: in production, without a sandbox, or when the sandbox does not know the service.
    """
    if settings.PRODUCTION:
        raise FaultRefusedError(_("Faults are for the demonstration; this is production."))
    body = json.dumps({"service": service, "fault": fault, "account": account}).encode()
    request = urllib.request.Request(  # noqa: S310 - the address is the portal's own setting
        settings.SANDBOX_URL + "/sandbox/ecs/fault", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return str(json.load(answer)["service"])
    except urllib.error.HTTPError as refused:
        raise FaultRefusedError(_said(refused)) from refused
    except (OSError, HTTPException, ValueError) as away:
        raise FaultRefusedError(
            _("The sandbox at %(url)s does not answer.") % {"url": settings.SANDBOX_URL}
        ) from away


def _said(refused: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refused)["error"])
    except (ValueError, KeyError):
        return str(refused)
