"""A portal in pieces: web, scheduler and workers as processes that a test or a bench may kill, and the wire between
Terraform and its state backend, which says what passes and can be cut.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from portal.launcher import commands
from portal.launcher.processes import Child, look_at

ROOT = Path(__file__).resolve().parents[1]
UP_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Fleet:
    """Processes by name, on one database and one broker. A killed one comes back only when told."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", **environ}
        self.children: dict[str, Child] = {}
        self.web_ports: dict[str, int] = {}

    def add(self, name: str, arguments: list[str], **environ: str) -> None:
        log = self.folder / "logs" / f"{name}.log"
        child = Child(name, [sys.executable, *arguments], log, ROOT, {**self.environ, **environ})
        self.children[name] = child
        child.start()

    def add_web(self, name: str) -> int:
        port = free_port()
        self.web_ports[name] = port
        self.add(name, commands.web(f"127.0.0.1:{port}", processes=1), PORT=str(port))
        return port

    def add_worker(self, name: str, *, queue: str = "changes", concurrency: int = 2) -> None:
        """A worker with a work folder of its own, as on a machine of its own."""
        work = self.folder / "work" / name
        work.mkdir(parents=True, exist_ok=True)
        arguments = commands.worker(queue, str(concurrency), name=name)
        self.add(name, arguments, GATEHOUSE_WORK_DIR=str(work))

    def add_scheduler(self, name: str) -> None:
        self.add(name, commands.scheduler())

    def wait_until_up(self) -> None:
        """Every web process answers; the others are asked for by whoever needs them."""
        deadline = time.monotonic() + UP_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for name, port in self.web_ports.items():
            while True:
                try:
                    opener.open(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                    break
                except OSError as error:
                    assert time.monotonic() < deadline, f"{name} does not answer: {error}\n{self.tail(name)}"
                    time.sleep(0.1)

    def kill(self, *names: str) -> None:
        """kill -9 of the process and all of its group."""
        for name in names:
            child = self.children[name]
            child.kill_group()
            assert child.process is not None
            child.process.wait()

    def revive(self, *names: str) -> None:
        for name in names:
            self.children[name].start()

    def owner_of(self, pid: int) -> str:
        """The name of the process in whose session `pid` runs; "" when it is none of ours."""
        seen = look_at(pid)
        for name, child in self.children.items():
            if seen is not None and child.pid == seen.session:
                return name
        return ""

    def names(self, start: str) -> list[str]:
        return [name for name in self.children if name.startswith(start)]

    def tail(self, name: str, size: int = 3000) -> str:
        path = self.children[name].log
        return path.read_text(errors="replace")[-size:] if path.exists() else ""

    def stop(self) -> None:
        """Workers first, so that Terraform's guards find the state backend still there."""
        for name in sorted(self.children, key=lambda name: not name.startswith("worker")):
            self.kill(name)


@dataclass
class Passing:
    """A request on its way through the wire."""

    method: str
    path: str
    body: bytes


class Wire:
    """A small load balancer before the web processes: in turn, and a hook before and after each request.

    A hook that returns True cuts the connection there, as a dying web process does: Terraform tries again.
    """

    def __init__(self, ports: Callable[[], list[int]]) -> None:
        self.before: Callable[[Passing], bool] = lambda passing: False
        self.after: Callable[[Passing], bool] = lambda passing: False
        self.served: list[tuple[int, Passing]] = []
        turn = itertools.count()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                passing = Passing(self.command, self.path, body)
                # One answer a connection, so that a cut one is never taken for a kept one.
                self.close_connection = True
                if wire.before(passing):
                    return
                among = ports()
                port = among[next(turn) % len(among)]
                answer = wire.ask(port, passing, dict(self.headers))
                if answer is None or wire.after(passing):
                    return
                wire.served.append((port, passing))
                self.reply(*answer)

            def reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in (
                        "connection",
                        "transfer-encoding",
                        "content-length",
                        "keep-alive",
                    ):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_LOCK = do_UNLOCK = do_DELETE = forward

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def ask(
        port: int, passing: Passing, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The web process's answer; None when it died or is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request(passing.method, passing.path, passing.body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Cut:
    """The way to a database server, which can be cut: open connections break, new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self.there = (host, port)
        self.open: set[socket.socket] = set()
        self.port = 0
        self.mend()

    def mend(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        # shutdown wakes the thread in accept(); close alone leaves it there with the port still open.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _address = listener.accept()
                far = socket.create_connection(self.there)
            except OSError:
                return
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        self.open.add(source)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.open.discard(source)
        source.close()

    @contextmanager
    def gone(self) -> Iterator[None]:
        self.cut()
        try:
            yield
        finally:
            self.mend()


def addresses_of_the_test() -> tuple[str, str]:
    """(database, broker) by which another process reaches what this test uses; no broker: one in a folder."""
    # A benchmark imports this module before Django is set up.
    from django.conf import settings
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}", ""
    name = settings.DATABASES["default"]["NAME"]
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}", os.environ.get("CELERY_BROKER_URL", "")
