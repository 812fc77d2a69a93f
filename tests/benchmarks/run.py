"""script/bench run: what the portal adds to Terraform, measured side by side.

Starts a portal of its own (launcher, sandbox, workers), runs the web-service stack through it over the API, and does
the same steps with the bare `terraform` CLI: same files, provider, sandbox and state backend.
Request to plan against init + plan + show -json; approval to succeeded against init + apply.
`script/bench run plans` stops after the first of the two.
Also prints how long a press takes to be "proposing", and a line of Terraform's to reach the page.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PRESSES = 20
ROUNDS = 3
# The page asks for new log lines this often, in seconds.
PAGE_POLL = 0.7


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(what: str, figures: str) -> None:
    print(f"{what:<52} {figures}", flush=True)


class Portal:
    """A portal of its own, spoken to over its API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**os.environ, "PORT": str(self.port), "GATEHOUSE_DATA_DIR": str(folder)}
        self.env |= {"GATEHOUSE_DEMO": "0", "API_THROTTLE_USER": "100000/min"}
        self.process = subprocess.Popen(
            [ROOT / "script" / "server"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        self.token = ""

    def wait(self) -> None:
        for _attempt in range(240):
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).read()
                return
            except OSError:
                time.sleep(0.5)
        raise SystemExit("The portal did not start; see its logs in " + str(self.folder / "logs"))

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)


def until(portal: Portal, change: str, wanted: set[str]) -> dict[str, Any]:
    while True:
        row: dict[str, Any] = portal.call("GET", f"changes/{change}/")
        if row["status"] in wanted:
            return row
        if row["status"] in {"failed", "interrupted", "cancelled", "expired", "rejected"}:
            raise SystemExit(f"The change ended as {row['status']}: {row['error']}")
        time.sleep(1)


def plans(portal: Portal, environment: str) -> float:
    """Seconds from request to plan of a plan-only run."""
    # The row's own times, looked for once a second: asking all the time would slow down what is measured.
    pressed = datetime.now(UTC)
    change = portal.call("POST", f"environments/{environment}/runs/", {"mode": "plan"})["id"]
    row = until(portal, change, {"planned"})
    return (datetime.fromisoformat(row["finished_at"]) - pressed).total_seconds()


def applies(portal: Portal, environment: str) -> float:
    """Seconds from Start to succeeded; prints how long Terraform's lines took to the page meanwhile."""
    body = {"mode": "apply", "start": "manual"}
    change = portal.call("POST", f"environments/{environment}/runs/", body)["id"]
    until(portal, change, {"approved"})
    began = time.monotonic()
    portal.call("POST", f"changes/{change}/start/")
    lines = Lines(portal, change)
    while portal.call("GET", f"changes/{change}/")["status"] != "succeeded":
        lines.look()
        time.sleep(PAGE_POLL)
    seconds = time.monotonic() - began
    lines.report()
    return seconds


class Lines:
    """Follows a log as the page does, and holds each line's arrival against Terraform's own time stamp."""

    def __init__(self, portal: Portal, change: str) -> None:
        self.portal, self.change, self.after = portal, change, 0
        self.arrived: dict[str, float] = {}
        self.said: dict[str, float] = {}

    def look(self) -> None:
        part = self.portal.call("GET", f"changes/{self.change}/log/?after={self.after}")
        self.after = part["next"]
        now = time.time()
        for line in part["text"].splitlines():
            self.arrived.setdefault(line, now)
        for path in self.portal.folder.glob(f"work/{self.change}-apply-*/apply.log"):
            for line in path.read_text().splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("type") == "apply_complete":
                    self.said[event["@message"]] = datetime.fromisoformat(event["@timestamp"]).timestamp()

    def report(self) -> None:
        waits = sorted(self.arrived[text] - at for text, at in self.said.items() if text in self.arrived)
        if waits:
            p95 = waits[int(len(waits) * 0.95) - 1]
            figures = f"{statistics.median(waits):.2f}  {p95:.2f}  {waits[-1]:.2f}  ({len(waits)} lines)"
            say("Terraform's line to the page, s (median, p95, max)", figures)


class ByHand:
    """The same steps with the bare CLI; setting the scene (files, credential) is not counted."""

    def __init__(self, portal: Portal, environment: str) -> None:
        scene = json.loads(portal.manage("shell", "-c", SCENE % environment).splitlines()[-1])
        self.env, self.root = scene["env"], Path(scene["root"])

    def terraform(self, *words: str, out: str = "log") -> None:
        with (self.root / f"bench.{out}").open("ab") as log:
            done = subprocess.run(
                ["terraform", *words], cwd=self.root, env=self.env, stdout=log, stderr=log, check=False
            )
        if done.returncode:
            raise SystemExit((self.root / f"bench.{out}").read_text()[-3000:])

    def plan(self) -> float:
        shutil.rmtree(self.root / ".terraform", ignore_errors=True)
        began = time.monotonic()
        self.terraform("init", "-input=false", "-no-color")
        self.terraform("plan", "-input=false", "-json", "-out=p.bin", "-lock=false")
        self.terraform("show", "-json", "p.bin", out="json")
        return time.monotonic() - began

    def apply(self) -> float:
        shutil.rmtree(self.root / ".terraform", ignore_errors=True)
        began = time.monotonic()
        self.terraform("init", "-input=false", "-no-color")
        self.terraform("apply", "-input=false", "-json", "p.bin")
        return time.monotonic() - began


# Lays out the definition of an environment as a run would find it, and prints folder and environment.
SCENE = """
import json
from pathlib import Path
from django.conf import settings
from environments.changes.models import Change
from environments.models import Environment
from environments.runs import credentials, workspace as w
environment = Environment.objects.by_key("%s").get()
definition = environment.latest_definition
change = Change.objects.create(environment=environment, kind="terraform_run", title="by hand", status="awaiting_approval",
    requested_by_name="bench")
credential = credentials.issue(change, fence=1, may_write=True)
manager = w.workspace(change, definition, credential, name="by-hand")
made = manager.__enter__()
w.unpack_definition(made, definition)
print(json.dumps({"env": made.env, "root": str(made.root)}), flush=True)
import os
os._exit(0)
"""


def prepare(portal: Portal) -> None:
    portal.manage("demo", "--no-apply")
    portal.token = portal.manage("create_token", "operator").split()[-1]
    admin = portal.manage("create_token", "admin").split()[-1]
    example = ROOT / "terraform" / "blueprints" / "web-service" / "examples" / "triflow-staging.tfvars.json"
    variables = json.loads(example.read_text())
    operator, portal.token = portal.token, admin
    accounts = {}
    for name, number in (("bench-portal", "310000000001"), ("bench-cli", "310000000002")):
        body = {"tenant": "triflow-ai", "name": name, "account_id": number, "kind": "sandbox"}
        accounts[name] = portal.call("POST", "accounts/", body)["id"]
    portal.token = operator
    for name, account in accounts.items():
        body = {"tenant": "triflow-ai", "name": name, "blueprint": "web-service", "region": "ap-northeast-2"}
        portal.call("POST", "environments/", {**body, "account": account})
        passwords = {"db_password": secrets.token_hex(16), "redis_auth_token": secrets.token_hex(24)}
        body = {"variables": {**variables, "project": name, **passwords}, "note": "bench"}
        portal.call("POST", f"environments/triflow-ai.{name}/definitions/", body)


def presses(portal: Portal) -> None:
    """From the press to "proposing", one after the other, on the embedded broker."""
    waits = []
    for _press in range(PRESSES):
        began = time.monotonic()
        change = portal.call("POST", "environments/triflow-ai.bench-portal/runs/", {"mode": "plan"})["id"]
        while portal.call("GET", f"changes/{change}/")["status"] == "requested":
            time.sleep(0.02)
        waits.append(time.monotonic() - began)
        portal.call("POST", f"changes/{change}/cancel/", {})
        until_over(portal, change)
    waits.sort()
    p95 = waits[int(len(waits) * 0.95) - 1]
    say(
        "press to proposing, s (median, p95, max)",
        f"{statistics.median(waits):.2f}  {p95:.2f}  {waits[-1]:.2f}",
    )


def until_over(portal: Portal, change: str) -> None:
    while portal.call("GET", f"changes/{change}/")["status"] in {"requested", "proposing"}:
        time.sleep(0.2)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        portal = Portal(Path(folder))
        try:
            portal.wait()
            prepare(portal)
            hand = ByHand(portal, "triflow-ai.bench-cli")
            # In turns, after one of each to warm the page cache that both read the provider from.
            pairs = [(plans(portal, "triflow-ai.bench-portal"), hand.plan()) for _round in range(ROUNDS + 1)][
                1:
            ]
            mine, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
            say("request to plan, s (portal, bare CLI, ratio)", f"{mine:.1f}  {bare:.1f}  {mine / bare:.2f}")
            if sys.argv[1:] == ["plans"]:
                return
            bare, mine = hand.apply(), applies(portal, "triflow-ai.bench-portal")
            say(
                "approval to succeeded, s (portal, bare CLI, ratio)",
                f"{mine:.1f}  {bare:.1f}  {mine / bare:.2f}",
            )
            presses(portal)
        finally:
            portal.stop()


if __name__ == "__main__":
    main()
