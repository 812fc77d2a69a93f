"""script/deploy against a portal that answers as told: what it asks, what it says, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[4] / "script" / "deploy"
UUID = "0b8b8b7e-0000-4000-8000-000000000001"


@dataclass
class FakePortal:
    """Answers in order, the last one again and again; remembers what it was asked."""

    url: str = ""
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def next(self) -> tuple[int, dict[str, Any]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    fake = FakePortal()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = json.loads(body) if body else None
            fake.asked.append((self.command, self.path, dict(self.headers), told))
            status, content = fake.next()
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    server.server_close()


def change(status: str, **more: Any) -> dict[str, Any]:
    return {"id": UUID, "title": "Deploy v2", "status": status, "gates": [], "waiting_for": None, **more}


def deploy(
    portal: FakePortal, *arguments: str, token: str = "ghs_secret"
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "GATEHOUSE_URL": portal.url, "GATEHOUSE_TOKEN": token}
    words = ["--environment", "triflow.staging", *arguments]
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words], env=environment, capture_output=True, text=True, timeout=60
    )


def test_it_asks_once_follows_and_ends_well(portal: FakePortal) -> None:
    waits = change("awaiting_approval", gates=[{"name": "Approval", "needed": 1, "votes": []}])
    portal.answers = [(201, change("requested")), (200, waits), (200, change("succeeded"))]
    ended = deploy(portal, "--service", "api", "--service", "ws=v3", "--image", "v2", "--reason", "Faster")
    assert ended.returncode == 0, ended.stderr
    method, path, headers, body = portal.asked[0]
    assert (method, path) == ("POST", "/api/v1/environments/triflow.staging/deployments/")
    assert headers["Authorization"] == "Token ghs_secret"
    assert len(headers["Idempotency-Key"]) == 36
    assert body == {
        "services": [{"service": "api", "image": "v2"}, {"service": "ws", "image": "v3"}],
        "reason": "Faster",
    }
    assert [one[0] for one in portal.asked[1:]] == ["GET", "GET"]
    assert "awaiting approval: votes of Approval" in ended.stdout
    assert f"/changes/{UUID}/" in ended.stdout


@pytest.mark.parametrize("status", ["failed", "regressed", "rejected", "superseded", "cancelled", "expired"])
def test_what_did_not_come_through_says_why_and_is_1(portal: FakePortal, status: str) -> None:
    error = {"kind": "tool", "message": "Rolled back: tasks ran out of memory.", "hint": "Give it more."}
    portal.answers = [(201, change(status, error=error))]
    ended = deploy(portal, "--service", "api", "--image", "v2")
    assert ended.returncode == 1
    assert "ran out of memory" in ended.stdout
    assert "Give it more." in ended.stdout


def test_a_refusal_names_its_fields_and_is_2(portal: FakePortal) -> None:
    problem = {"detail": "Something is wrong.", "errors": {"image": ["There is no v9."]}}
    portal.answers = [(400, problem)]
    ended = deploy(portal, "--service", "api", "--image", "v9")
    assert ended.returncode == 2
    assert "image: There is no v9." in ended.stderr
    assert len(portal.asked) == 1, "asking again would not help"


def test_a_portal_that_is_away_is_asked_again_with_the_same_key(portal: FakePortal) -> None:
    portal.answers = [(503, {}), (201, change("succeeded"))]
    assert deploy(portal, "--service", "api", "--image", "v2", "--key", "run-1").returncode == 0
    keys = [headers["Idempotency-Key"] for _method, _path, headers, _body in portal.asked]
    assert keys == ["run-1", "run-1"]


def test_when_the_time_is_up_it_says_where_it_is_and_is_3(portal: FakePortal) -> None:
    portal.answers = [(201, change("executing"))]
    ended = deploy(portal, "--service", "api", "--image", "v2", "--wait", "0.2")
    assert ended.returncode == 3
    assert "Still executing" in ended.stdout


def test_without_waiting_it_only_asks(portal: FakePortal) -> None:
    portal.answers = [(201, change("requested"))]
    assert deploy(portal, "--service", "api", "--image", "v2", "--wait", "0").returncode == 0
    assert len(portal.asked) == 1


def test_no_token_or_no_image_is_said_before_anything_is_asked(portal: FakePortal) -> None:
    assert "GATEHOUSE_TOKEN" in deploy(portal, "--service", "api", "--image", "v2", token="").stderr
    ended = deploy(portal, "--service", "api")
    assert (ended.returncode, portal.asked) == (2, [])
    assert "--image" in ended.stderr
