"""script/server: from a fresh clone to a running portal, and back in order."""

import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

from portal.launcher import commands
from portal.launcher.configuration import Configuration, read_configuration
from portal.launcher.errors import Stop
from portal.launcher.folder import DataFolder
from portal.launcher.prerequisites import check_port, check_terraform, choose_sandbox_port
from portal.launcher.processes import Child
from portal.launcher.steps import ensure_environment, run_step
from portal.launcher.supervisor import Supervisor
from portal.launcher.terminal import Terminal, Waiting

# Told after this long what is still missing; the launcher itself never gives up waiting.
UNREADY_SECONDS = 45.0
HOPELESS_DEATHS = 4


def serve() -> int:
    """Run until Ctrl-C or SIGTERM; the exit status."""
    terminal = Terminal()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        configuration = read_configuration()
        folder = DataFolder(configuration.data)
        folder.lock(configuration.address)
        folder.end_leftovers(terminal)
        check_port(configuration)
        version = check_terraform(configuration)
        terminal.line(
            terminal.paint("Gatehouse", "strong") + f" in {configuration.root}, Terraform {version}"
        )
        log = configuration.logs / "setup.log"
        python = ensure_environment(terminal, configuration.root, "requirements.txt", log)
        return _Server(terminal, configuration, folder, python).run()
    except Stop as stop:
        terminal.clear()
        terminal.line(terminal.paint(str(stop), "bad"))
        return stop.status
    except KeyboardInterrupt:
        terminal.clear()
        terminal.line("Stopped before everything had started.")
        return 130


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Server:
    def __init__(
        self, terminal: Terminal, configuration: Configuration, folder: DataFolder, python: Path
    ) -> None:
        self.terminal, self.configuration, self.python = terminal, configuration, python
        self.supervisor = Supervisor(terminal, changed=folder.remember)
        self.environ = dict(configuration.environ)
        self.sign_ins: list[list[str]] = []

    def run(self) -> int:
        """Start all, keep them running, stop all; the exit status."""
        status = 0
        try:
            if self.configuration.sandbox:
                self._start_sandbox()
            self._prepare_database()
            self.supervisor.listen()
            self._start_portal()
            if self._wait_until_ready():
                self._announce()
            self.supervisor.run()
            self.terminal.line()
            self.terminal.line("Stopping: workers first, so that Terraform can save its state.")
        except Stop as stop:
            self.terminal.clear()
            self.terminal.line(self.terminal.paint(str(stop), "bad"))
            status = stop.status
        except KeyboardInterrupt:
            self.terminal.clear()
            status = 130
        self.supervisor.listen()
        self.supervisor.stop()
        return status

    def _start_sandbox(self) -> None:
        port = choose_sandbox_port(self.configuration.data)
        self.environ["GATEHOUSE_SANDBOX_URL"] = f"http://127.0.0.1:{port}"
        # The demonstration's image repositories have something to deploy.
        self.environ.setdefault("SANDBOX_SEED_IMAGES", "1" if self.configuration.demo else "0")
        folder = self.configuration.data / "sandbox"
        command = ["-m", "portal.sandbox", "--port", str(port), "--data", str(folder)]
        self._start("sandbox", command, first=True)
        self.sandbox_port = port

    def _prepare_database(self) -> None:
        command: list[str | Path] = [self.python, "-m", "portal.launcher.database"]
        if self.configuration.demo:
            command.append("--demo")
        written = run_step(
            self.terminal,
            "database",
            "Bringing the database up to date",
            command,
            cwd=self.configuration.root,
            log=self.configuration.logs / "setup.log",
            environ=self.environ,
        )
        outcome: dict[str, Any] = json.loads(written.strip().splitlines()[-1])
        if outcome["migrated"]:
            self.terminal.say("database", f"{outcome['migrated']} migrations applied")
        if outcome["demo"]:
            self.terminal.say("demonstration", "created; staging is being applied in the background")
        self.sign_ins = outcome["sign_ins"]

    def _start_portal(self) -> None:
        host, port = self.configuration.host, self.configuration.port
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._start("web", commands.web(bind), first=True)
        self._start("scheduler", commands.scheduler(), first=True)
        self._start_worker("changes", self.environ.get("GATEHOUSE_CHANGES_CONCURRENCY") or "2")
        self._start_worker("deployments", self.environ.get("GATEHOUSE_DEPLOYMENTS_CONCURRENCY") or "2")
        self._start_worker("housekeeping", self.environ.get("GATEHOUSE_HOUSEKEEPING_CONCURRENCY") or "1")

    def _start_worker(self, queue: str, concurrency: str) -> None:
        level = self.environ.get("LOG_LEVEL") or "INFO"
        self._start(f"worker-{queue}", commands.worker(queue, concurrency, level=level))

    def _start(self, name: str, arguments: list[str], *, first: bool = False) -> None:
        child = Child(
            name=name,
            command=[str(self.python), *arguments],
            log=self.configuration.logs / f"{name}.log",
            cwd=self.configuration.root,
            environ=self.environ,
        )
        if first:
            # Others stop in the reverse of this order: scheduler, web, sandbox.
            self.supervisor.others.insert(0, child)
        else:
            self.supervisor.workers.append(child)
        self.supervisor.start(child)

    def _wait_until_ready(self) -> bool:
        """Until /readyz says yes; False when somebody asks to stop first. Errors: `Stop` when hopeless."""
        waiting, told = Waiting(self.terminal, "portal", "Starting"), False
        while not self.supervisor.stopping:
            self.supervisor.look_after()
            missing = self._what_is_missing()
            if not missing:
                self.terminal.clear()
                return True
            waiting.tick(f"(waiting for {', '.join(sorted(missing))})")
            if waiting.seconds() > UNREADY_SECONDS and not told:
                told = True
                self.terminal.clear()
                for name, message in missing.items():
                    self.terminal.say(name, message, "warn")
            for child in self.supervisor.children:
                if child.deaths >= HOPELESS_DEATHS:
                    self.terminal.clear()
                    for line in child.last_lines():
                        self.terminal.line(f"    {line}")
                    raise Stop(f"{child.name} does not start. Its whole log is {child.log}.")
            time.sleep(0.15)
        return False

    def _what_is_missing(self) -> dict[str, str]:
        """What keeps the portal from being ready: name -> one sentence. Empty: it is ready."""
        if self.configuration.sandbox and not _listens(self.sandbox_port):
            return {"sandbox": "The sandbox does not answer yet."}
        # Never through a proxy: this is our own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(f"{self.configuration.address}/readyz", timeout=10).close()
        except urllib.error.HTTPError as error:
            with error:
                return _unwell(error.read())
        except OSError:
            return {"web": "The web process does not answer yet."}
        return {}

    def _announce(self) -> None:
        terminal = self.terminal
        terminal.line()
        terminal.line("  Open  " + terminal.paint(self.configuration.address, "strong"))
        terminal.line()
        if self.sign_ins:
            terminal.table([("Sign in as", "who is", "with password"), *self.sign_ins])
            terminal.line()
        terminal.line(
            terminal.paint(
                f"  Logs are in {self.configuration.logs}. Ctrl-C ends everything in order.", "quiet"
            )
        )
        terminal.line()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _unwell(body: bytes) -> dict[str, str]:
    try:
        checks = json.loads(body)["checks"]
        return {name: str(check.get("message", "")) for name, check in checks.items() if not check["ok"]}
    except (ValueError, KeyError, TypeError):
        return {"web": "The web process answers, but not as it should."}


def main() -> None:
    """The command line."""
    os.umask(0o077)
    sys.exit(serve())
