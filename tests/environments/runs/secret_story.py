"""A portal in pieces, and everything that happens to an environment whose blueprint tells all its secrets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import ResourceProgress
from portal.core.keyring import keyring
from tests.environments.runs.secret_scanner import Scanner, random_key, random_odd, random_word
from tests.processes import Fleet, addresses_of_the_test

PATIENCE = 60
UNMARKED = ("DB_PASSWORD", "API_TOKEN", "SMTP_PASS", "SIGNING_KEY", "admin-password")


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for: {what}"
        time.sleep(0.05)
    return found


class Receiver:
    """Stands where Slack does; keeps what it was sent. Refuses the first message, loudly."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(500 if len(receiver.bodies) == 1 else 200)
                self.end_headers()
                self.wfile.write(f"no such hook {self.path}".encode())

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class CommandLines:
    """Every command line on this machine, seen again and again while the story runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((folder / "cmdline").read_bytes())
                except OSError:
                    continue

    def stop(self) -> bytes:
        self._stop.set()
        self._thread.join()
        return b"\n".join(self.seen)


class Portal:
    """Web, scheduler and workers on the test's database; folders of their own that can be searched."""

    def __init__(self, folder: Path, sandbox_url: str) -> None:
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        self.receiver = Receiver()
        self.slack = random_word()
        # The tests' cache is each process's own memory; a portal's processes share a table.
        call_command("createcachetable", "portal_cache")
        self.fleet = Fleet(
            folder,
            DATABASE_URL=addresses_of_the_test()[0],
            CELERY_BROKER_URL=f"portalfs://{folder / 'broker'}",
            TMPDIR=str(self.tmp),
            GATEHOUSE_SANDBOX_URL=sandbox_url,
            GATEHOUSE_WORK_DIR=str(folder / "work" / "worker"),
            GATEHOUSE_BLUEPRINT_DIRS=str(settings.BLUEPRINT_DIRS[0]),
            GATEHOUSE_LEASE_SECONDS="3",
            GATEHOUSE_HEARTBEAT_SECONDS="1",
            GATEHOUSE_SWEEP_SECONDS="1",
            GATEHOUSE_RESEND_SECONDS="3",
            SLACK_WEBHOOK_URL=self.slack_url,
            WEBHOOK_ALLOWED_HOSTS="127.0.0.1",
            # The reader of this setting takes the first slash of the path for its own.
            EMAIL_URL=f"filemail:///{folder / 'mail'}",
            LOG_LEVEL="DEBUG",
        )
        port = self.fleet.add_web("web")
        self.fleet.environ["GATEHOUSE_INTERNAL_URL"] = f"http://127.0.0.1:{port}"
        self.fleet.add_scheduler("scheduler")
        self.fleet.add_worker("worker", concurrency=1)
        self.fleet.add_worker("worker-housekeeping", queue="housekeeping", concurrency=1)
        self.url = f"http://127.0.0.1:{port}"
        self.fleet.wait_until_up()

    @property
    def slack_url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}/services/T0AB/B0CD/{self.slack}"

    def stop(self) -> None:
        self.fleet.stop()
        self.receiver.stop()


class Tale:
    """One environment; `secrets` is filled as they come to be. Acts go through the API, as programs do."""

    def __init__(self, environment: Environment, portal: Portal, operator: Any, approver: Any) -> None:
        self.environment, self.portal = environment, portal
        self.operator, self.approver = operator, approver
        self.secrets = Scanner()
        # Where the blueprint finds what nobody marks, and tells the test what it cannot know: not searched.
        self.files, self.out = portal.folder.parent / "unmarked", portal.folder.parent / "out"
        self.files.mkdir()
        self.out.mkdir()
        self.key = environment.key
        keyring()  # made when it is first asked for
        ring = (settings.DATA_DIR / "keyring").read_text().strip().rpartition(":")[2]
        self.secrets.add(slack=portal.slack, keyring=ring, django=settings.SECRET_KEY)
        self.values: dict[str, Any] = {}

    def make_up(self) -> None:
        self.values = {
            "password": random_odd(),
            "token": random_word(32),
            "key": random_key(),
            "logins": {
                "admin": {"password": random_odd(), "spare": [random_word(), "비밀-" + random_word(12)]},
                "reader": {"password": random_word(16), "spare": []},
            },
            "pin": 10**12 + int(random_word(10), 16) % 10**11,
            "container": random_word(24),
            "split": random_word(22),
        }
        admin, reader = self.values["logins"]["admin"], self.values["logins"]["reader"]
        self.secrets.add(
            password=self.values["password"],
            token=self.values["token"],
            key=self.values["key"],
            login=admin["password"],
            spare=admin["spare"][0],
            korean=admin["spare"][1],
            reader=reader["password"],
            pin=str(self.values["pin"]),
            container=self.values["container"],
            split=self.values["split"],
        )
        self.make_up_unmarked(1)

    def make_up_unmarked(self, edition: int) -> None:
        """What the blueprint reads from files; another edition is what drift sees."""
        for name in UNMARKED:
            word = random_word(14) + "-Aa1"
            (self.files / name).write_text(word)
            self.secrets.add(**{f"{name}.{edition}": word})
        password, key = random_word(18), random_key()
        (self.files / "database-url").write_text(f"postgres://app:{password}@db.example.com:5432/app")
        (self.files / "user-data").write_text(f"#!/bin/sh\ncat > /etc/key <<END\n{key}\nEND\n")
        self.secrets.add(**{f"url-password.{edition}": password, f"user-data-key.{edition}": key})

    def plain(self, **variables: Any) -> dict[str, Any]:
        return {"files": str(self.files), "out": str(self.out), **variables}

    def define(self, **variables: Any) -> None:
        """The next definition by API; secrets are sent with the first only, and carried over."""
        first = not self.environment.definitions.exists()
        values = self.plain(**variables) | (self.values if first else {})
        answer = self.operator.post(
            f"/api/v1/environments/{self.key}/definitions/", {"variables": values}, format="json"
        )
        assert answer.status_code == 201, answer.content

    def request(self, mode: str = "apply") -> Change:
        answer = self.operator.post(
            f"/api/v1/environments/{self.key}/runs/", {"mode": mode, "reason": "tell"}, format="json"
        )
        assert answer.status_code == 201, answer.content
        return Change.objects.get(uuid=answer.json()["id"])

    def reach(self, change: Change, *wanted: str) -> Change:
        def there() -> Change | None:
            row = Change.objects.for_lists().get(pk=change.pk)
            assert row.status in wanted or not row.is_final, f"{row.status}: {row.error_message}"
            return row if row.status in wanted else None

        return until(there, f"{change.title} to be {wanted}")

    def approve(self, change: Change) -> None:
        waiting = self.reach(change, "awaiting_approval")
        answer = self.approver.post(
            f"/api/v1/changes/{change.uuid}/approve/", {"digest": waiting.proposal.digest}, format="json"
        )
        assert answer.status_code == 200, answer.content

    def run(self, *wanted: str, **variables: Any) -> Change:
        """Define, request, approve, and wait for the end."""
        self.define(**variables)
        change = self.request()
        self.approve(change)
        return self.reach(change, *wanted)

    def in_the_middle(self, **variables: Any) -> Change:
        """An apply that has told its secrets and now pauses."""
        self.define(**variables)
        change = self.request()
        self.approve(change)
        pausing = ResourceProgress.objects.filter(change=change, address__contains="pause", state="running")
        until(pausing.exists, "the pause")
        return change

    def learn(self) -> None:
        """What came to be while it ran: the runs' own sign-ins, and what the apply gave birth to."""
        for number, password in enumerate(set((self.out / "backend").read_text().split())):
            self.secrets.add(**{f"backend.{number}": password})
        for number, line in enumerate(set((self.out / "aws").read_text().split("\n")) - {""}):
            keys = json.loads(line)
            self.secrets.add(
                **{f"aws.{number}": keys["SecretAccessKey"], f"session.{number}": keys["SessionToken"]}
            )
        newest = self.environment.state_versions.order_by("-number").first()
        assert newest is not None
        self.secrets.add(born=json.loads(newest.content)["outputs"]["born"]["value"])
