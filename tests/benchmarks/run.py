"""script/bench run: what the portal adds to Terraform, measured side by side.

Starts a portal of its own (launcher, sandbox, workers), runs the web-service stack through it over the API, and does
the same steps with the bare `terraform` CLI: same files, provider, sandbox and state backend.
Request to plan against init + plan + show -json; approval to succeeded against init + apply.
Also prints how long a press takes to be "proposing", and a line of Terraform's to reach the page.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PRESSES = 20


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
        time.sleep(0.1)


def through_the_portal(portal: Portal, environment: str) -> tuple[float, float]:
    """Seconds from request to plan, and from Start to succeeded."""
    began = time.monotonic()
    change = portal.call("POST", f"environments/{environment}/runs/", {"mode": "apply", "start": "manual"})[
        "id"
    ]
    until(portal, change, {"approved"})
    planned = time.monotonic() - began
    began = time.monotonic()
    portal.call("POST", f"changes/{change}/start/")
    until(portal, change, {"succeeded"})
    return planned, time.monotonic() - began


def by_hand(portal: Portal, environment: str) -> tuple[float, float]:
    """The same steps with the bare CLI; setting the scene (files, credential) is not counted."""
    scene = json.loads(portal.manage("shell", "-c", SCENE % environment).splitlines()[-1])
    env, root = scene["env"], scene["root"]

    def terraform(*words: str, out: str = "log") -> None:
        with (Path(root) / f"bench.{out}").open("ab") as log:
            done = subprocess.run(
                ["terraform", *words], cwd=root, env=env, stdout=log, stderr=log, check=False
            )
        if done.returncode:
            raise SystemExit((Path(root) / f"bench.{out}").read_text()[-3000:])

    began = time.monotonic()
    terraform("init", "-input=false", "-no-color")
    terraform("plan", "-input=false", "-json", "-out=p.bin", "-lock=false")
    terraform("show", "-json", "p.bin", out="json")
    planned = time.monotonic() - began
    began = time.monotonic()
    terraform("init", "-input=false", "-no-color")
    terraform("apply", "-input=false", "-json", "p.bin")
    return planned, time.monotonic() - began


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
            cli = by_hand(portal, "triflow-ai.bench-cli")
            ours = through_the_portal(portal, "triflow-ai.bench-portal")
            for what, mine, bare in (
                ("request to plan", ours[0], cli[0]),
                ("approval to succeeded", ours[1], cli[1]),
            ):
                say(f"{what}, s (portal, bare CLI, ratio)", f"{mine:.1f}  {bare:.1f}  {mine / bare:.2f}")
            presses(portal)
        finally:
            portal.stop()


if __name__ == "__main__":
    main()
