"""How a message leaves the house: Slack, e-mail, signed webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from portal.core.keyring import keyring
from portal.notifications.models import Channel, Message

TIMEOUT_SECONDS = 10
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Their place says "come back", any other 4xx says "never".
PASSING_STATUS = {408, 425, 429}
LONGEST_WAIT = timedelta(hours=6)


class DeliveryError(Exception):
    """Not delivered. `permanent`: it never will be; `retry_after`: the receiver asked for this pause."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: timedelta = timedelta()
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


def deliver(message: Message) -> None:
    """Send one message now; raises DeliveryError."""
    match message.channel:
        case Channel.SLACK:
            _post(message.address, _slack(message))
        case Channel.EMAIL:
            _mail(message)
        case _:
            _post(message.address, _webhook(message), signed=True)


def webhook_secret(address: str) -> bytes:
    """What a receiver needs to check our signature; an administrator hands it over once."""
    return keyring().fingerprint(address.encode(), context="webhook").encode()


def _slack(message: Message) -> dict[str, Any]:
    lines = [f"*{_escaped(message.subject)}*", _escaped(message.text)]
    if message.link:
        lines.append(f"<{message.link}|{_escaped(_('Open in Gatehouse'))}>")
    body = "\n".join(filter(None, lines))
    return {"text": body, "unfurl_links": False}


def _escaped(text: str) -> str:
    """Slack's three control characters: without this a name like <!channel> would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _webhook(message: Message) -> dict[str, Any]:
    return {
        "subject": message.subject,
        "text": message.text,
        "link": message.link,
        "created_at": message.created_at.isoformat(),
        **message.payload,
    }


def _check_address(address: str) -> None:
    """Addresses are typed by people: only to hosts an administrator has allowed, and not in clear."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DeliveryError(_("The address of the webhook is not one."), permanent=True) from None
    allowed = {host, f"{host}:{port}"} & set(settings.WEBHOOK_ALLOWED_HOSTS)
    if not allowed or parts.username or parts.password:
        raise DeliveryError(
            _("Webhooks may not be sent to %(host)s; WEBHOOK_ALLOWED_HOSTS lists where to.") % {"host": host},
            permanent=True,
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise DeliveryError(_("A webhook's address must begin with https."), permanent=True)


def _post(address: str, content: dict[str, Any], *, signed: bool = False) -> None:
    _check_address(address)
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "Gatehouse"}
    if signed:
        at = str(int(time.time()))
        mac = hmac.new(webhook_secret(address), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers["X-Gatehouse-Signature"] = f"t={at},v1={mac}"
    timeout = urllib3.Timeout(total=TIMEOUT_SECONDS)
    try:
        # No redirects: they would lead off the list of allowed hosts. No retries: ours are rows.
        with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
            answer = pool.request("POST", address, body=body, headers=headers, redirect=False)
    except urllib3.exceptions.HTTPError as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from error
    if answer.status >= 300:
        said = answer.data[:200].decode("utf-8", "replace")
        raise DeliveryError(
            _("The receiver answered %(status)s: %(said)s") % {"status": answer.status, "said": said},
            permanent=answer.status < 500 and answer.status not in PASSING_STATUS,
            retry_after=_retry_after(answer.headers.get("Retry-After", "")),
        )


def _retry_after(text: str) -> timedelta:
    seconds = int(text[:9]) if text.isascii() and text.isdigit() else 0
    return min(LONGEST_WAIT, timedelta(seconds=seconds))


def _mail(message: Message) -> None:
    body = "\n\n".join(filter(None, [message.text, message.link]))
    try:
        EmailMessage(
            subject=message.subject,
            body=body,
            to=[message.address],
            # Keeps holiday notes from answering a machine.
            headers={"Auto-Submitted": "auto-generated"},
            connection=get_connection(timeout=TIMEOUT_SECONDS),
        ).send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _said in error.recipients.values()]
        permanent = all(code >= 500 for code in codes)
        raise DeliveryError(f"The mail server refused the address: {codes}", permanent=permanent) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from error
    except ValueError as error:
        # Django's answer to a header that cannot be one.
        raise DeliveryError(f"This is no e-mail address: {error}", permanent=True) from error
