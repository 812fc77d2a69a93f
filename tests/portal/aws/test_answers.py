"""An address is asked as a browser would ask it, and never one of the portal's own machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.aws import answers
from portal.aws.sessions import AccountAccess

AWS = AccountAccess("aws", "123456789012", "arn:aws:iam::123456789012:role/portal", "", "ap-northeast-2")
ARN = "arn:aws:ecs:ap-northeast-2:123456789012:service/c/api"


class Site(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        there = {"/moved": "/health", "/away": "http://example.org/", "/round": "/round"}.get(self.path)
        self.send_response(302 if there else 503 if self.path == "/sick" else 200)
        if there:
            self.send_header("Location", there)
        self.end_headers()
        if self.path == "/endless":
            while True:
                self.wfile.write(b"x" * 8192)
        if self.path == "/slow":
            for _count in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    Site.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(answers, "_inside", lambda address: False)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "169.254.170.2",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "2130706433",
    ],
)
def test_the_portals_own_machine_is_never_asked(host: str) -> None:
    answer = answers.answer_of(AWS, f"http://{host}/latest/meta-data/", ARN)
    assert (answer.status, answer.refused) == (0, True), answer.why


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/", "http://", "gopher://x"])
def test_only_the_web_is_asked(url: str) -> None:
    assert answers.answer_of(AWS, url, ARN).refused


def test_private_addresses_are_those_of_load_balancers_and_are_asked() -> None:
    assert not any(answers._inside(text) for text in ("10.0.11.5", "172.16.0.9", "192.168.1.1", "8.8.8.8"))


def test_status_and_redirects(site: str) -> None:
    assert answers.answer_of(AWS, f"{site}/health", ARN).status == 200
    assert answers.answer_of(AWS, f"{site}/sick", ARN).status == 503
    assert answers.answer_of(AWS, f"{site}/moved", ARN).status == 200
    assert answers.answer_of(AWS, f"{site}/moved", ARN, wanted=302).status == 302
    away = answers.answer_of(AWS, f"{site}/away", ARN)
    assert (away.status, "example.org" in away.why) == (302, True)
    assert "again and again" in answers.answer_of(AWS, f"{site}/round", ARN).why
    assert Site.asked.count("/round") == answers.REDIRECTS + 1


def test_nobody_is_listened_to_for_long(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SECONDS", 1.0)
    assert answers.answer_of(AWS, f"{site}/endless", ARN).status == 200
    began = time.monotonic()
    slow = answers.answer_of(AWS, f"{site}/slow", ARN)
    assert slow.status == 0
    assert time.monotonic() - began < 3


def test_a_host_that_is_not_there_is_an_answer_too() -> None:
    answer = answers.answer_of(AWS, "http://nowhere.invalid/", ARN)
    assert (answer.status, answer.refused) == (0, False)
    assert answer.why
