"""A Terraform http backend for one test: keeps the state in memory and every request it saw."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class StateServer:
    """`requests`: methods in order; `state`: the last body posted; `lock`: the holder's lock body or None."""

    address: str = ""
    requests: list[str] = field(default_factory=list)
    state: bytes | None = None
    lock: bytes | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, method: str, *, count: int = 1, timeout: float = 30) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.requests.count(method) >= count, timeout)


def serve() -> tuple[StateServer, ThreadingHTTPServer]:
    backend = StateServer()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with backend.changed:
                status, answer = respond(backend, self.command, body)
                backend.requests.append(self.command)
                backend.changed.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_LOCK = do_UNLOCK = handle_any

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    backend.address = f"http://127.0.0.1:{server.server_address[1]}/"
    return backend, server


def respond(backend: StateServer, method: str, body: bytes) -> tuple[int, bytes]:
    if method == "GET":
        return (200, backend.state) if backend.state else (404, b"")
    if method == "POST":
        backend.state = body
    elif method == "LOCK":
        if backend.lock is not None:
            return 423, backend.lock
        backend.lock = body
    elif method == "UNLOCK":
        backend.lock = None
    return 200, b""
