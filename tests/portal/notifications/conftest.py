"""A receiver of webhooks on this machine, and a broker that only counts."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from portal.core.clock import local_now
from portal.notifications import outbox, tasks


@dataclass
class Receiver:
    """Answers with `status` and `headers`; keeps what came."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0/B0/topsecretpath"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _path, _headers, body in self.came]


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.came.append((self.path, dict(self.headers), body))
            self.send_response(received.status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"said the receiver")

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    settings.WEBHOOK_ALLOWED_HOSTS = [f"127.0.0.1:{received.port}"]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each nudge that would go to the broker."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.deliver_messages, "delay", lambda: sent.append("nudge"))
    return sent


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests move this process's clock; a database server has one of its own."""
    monkeypatch.setattr(outbox, "now", local_now)
