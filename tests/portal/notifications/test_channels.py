"""What goes over the wire, and where it may not go."""

import hashlib
import hmac
import smtplib
import time

import pytest
from django.core.mail.backends.locmem import EmailBackend

from portal.notifications import channels
from portal.notifications.channels import DeliveryError, deliver, webhook_secret
from portal.notifications.models import Message
from tests.portal.notifications.conftest import Receiver


def message(channel: str, address: str, **more: object) -> Message:
    return Message(
        channel=channel,
        address=address,
        **({"subject": "Approve", "text": "Two", "link": "https://g/1"} | more),
    )


def test_slack_gets_text_with_a_link(receiver: Receiver) -> None:
    deliver(message("slack", receiver.address))
    assert receiver.bodies == [
        {"text": "*Approve*\nTwo\n<https://g/1|Open in Gatehouse>", "unfurl_links": False}
    ]
    assert receiver.came[0][1]["Content-Type"] == "application/json"


def test_nobody_can_call_the_whole_channel(receiver: Receiver) -> None:
    deliver(message("slack", receiver.address, subject="<!channel> a & b", text="<https://evil|ok>"))
    text = receiver.bodies[0]["text"]
    assert "&lt;!channel&gt; a &amp; b" in text
    assert "<https://evil" not in text


def test_a_webhook_is_signed_with_a_secret_of_its_own(receiver: Receiver) -> None:
    deliver(message("webhook", receiver.address, payload={"change": "c-1"}))
    _path, headers, body = receiver.came[0]
    at, mac = (part.partition("=")[2] for part in headers["X-Gatehouse-Signature"].split(","))
    wanted = hmac.new(webhook_secret(receiver.address), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mac, wanted)
    assert abs(int(at) - time.time()) < 60
    assert receiver.bodies[0]["change"] == "c-1"
    assert webhook_secret(receiver.address) != webhook_secret(receiver.address + "x")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/services/x",
        "https://hooks.slack.com.evil.example/x",
        "https://user:pw@hooks.slack.com/x",
        "https://evil.example#hooks.slack.com",
        "https://evil.example\\@hooks.slack.com/",
        "http://hooks.slack.com/services/x",
        "file:///etc/passwd",
        "ftp://hooks.slack.com/x",
        "http://169.254.169.254/latest/meta-data",
        "https://[::1/x",
        "https://hooks.slack.com:port/x",
        "hooks.slack.com/x",
    ],
)
def test_only_allowed_hosts_are_spoken_to(address: str, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEBHOOK_ALLOWED_HOSTS = ["hooks.slack.com"]
    monkeypatch.setattr(channels.urllib3, "PoolManager", lambda **_: pytest.fail("a connection was made"))
    with pytest.raises(DeliveryError) as caught:
        deliver(message("slack", address))
    assert caught.value.permanent


def test_an_allowed_host_is_spoken_to(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def reached(**_options: object) -> None:
        raise Reached

    settings.WEBHOOK_ALLOWED_HOSTS = ["hooks.slack.com"]
    monkeypatch.setattr(channels.urllib3, "PoolManager", reached)
    with pytest.raises(Reached):
        deliver(message("slack", "https://hooks.slack.com/services/x"))


@pytest.mark.parametrize(
    ("trouble", "permanent"),
    [
        (smtplib.SMTPRecipientsRefused({"kim@example.com": (550, b"unknown")}), True),
        (smtplib.SMTPRecipientsRefused({"kim@example.com": (450, b"later")}), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (ConnectionRefusedError("no server"), False),
    ],
)
def test_trouble_with_mail(trouble: Exception, permanent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: EmailBackend, messages: object) -> int:
        raise trouble

    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    with pytest.raises(DeliveryError) as caught:
        deliver(message("email", "kim@example.com"))
    assert caught.value.permanent is permanent


def test_an_address_that_would_forge_headers_is_refused() -> None:
    with pytest.raises(DeliveryError) as caught:
        deliver(message("email", "kim@example.com\nBcc: everybody@example.com"))
    assert caught.value.permanent
