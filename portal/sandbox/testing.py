"""Sandboxes for tests: a process of its own on a free port, stopped cleanly; and golden snapshots."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.sandbox.keeper import FILE_NAME

# Long, because a busy machine must not fail a test of something else.
_START_SECONDS = 120.0
_STOP_SECONDS = 120.0
_READY = "sandbox ready at "


class SandboxDidNotStartError(RuntimeError):
    """The process ended, or said nothing in time; the message holds what it logged."""


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that answers at ``url``; ``data_dir`` keeps its content, ``log`` what it said."""

    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    def health(self) -> dict[str, Any]:
        """What ``/sandbox/healthz`` says. Raises HTTPError when something is not well."""
        return _json(self.url + "/sandbox/healthz")

    def save(self) -> None:
        """Write the content to the data folder now. Raises OSError when that fails."""
        _json(self.url + "/sandbox/snapshot", method="POST")

    def environment(self, account: str = "123456789012", region: str = "ap-northeast-2") -> dict[str, str]:
        """Environment variables that lead boto3, Terraform and the AWS CLI here, as that account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def kill(self) -> None:
        """End the process without a chance to save, as kill -9 does."""
        self.process.kill()
        self.process.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """Tell the process to save and end; does nothing when it has ended. Raises TimeoutExpired."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_STOP_SECONDS)


@contextmanager
def running_sandbox(data_dir: Path | None = None, *, save_every: float = 15.0) -> Iterator[RunningSandbox]:
    """Run a sandbox for the time of the block, with a data folder of its own unless one is given.

    Raises SandboxDidNotStartError.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-") as scratch:
        folder = data_dir or Path(scratch) / "data"
        sandbox = _start(folder, Path(scratch) / "log", save_every)
        try:
            yield sandbox
        finally:
            _end(sandbox.process)


@dataclass(frozen=True)
class GoldenSnapshot:
    """A copy of a sandbox's content from which further sandboxes start, each with its own."""

    path: Path

    @classmethod
    def take(cls, sandbox: RunningSandbox, path: Path) -> "GoldenSnapshot":
        """Save a running sandbox's content and copy it to ``path``."""
        sandbox.save()
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sandbox.data_dir / FILE_NAME, path)
        path.chmod(0o600)
        return cls(path)

    @contextmanager
    def running(self) -> Iterator[RunningSandbox]:
        """Run a sandbox that starts with this content."""
        with tempfile.TemporaryDirectory(prefix="sandbox-") as scratch:
            folder = Path(scratch) / "data"
            folder.mkdir(mode=0o700)
            shutil.copyfile(self.path, folder / FILE_NAME)
            (folder / FILE_NAME).chmod(0o600)
            with running_sandbox(folder) as sandbox:
                yield sandbox


def _start(folder: Path, log: Path, save_every: float) -> RunningSandbox:
    command = [sys.executable, "-m", "portal.sandbox", "--port", "0", "--data", str(folder)]
    command += ["--save-every", str(save_every), "--until-parent-ends"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=_root(), env=_environment()
        )
    try:
        return RunningSandbox(_wait_for_address(process, log), folder, log, process)
    except BaseException:
        _end(process)
        raise


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = log.read_text(errors="replace")
        for line in said.splitlines(keepends=True):
            if line.startswith(_READY) and line.endswith("\n"):
                return line.removeprefix(_READY).strip()
        if ended:
            break
        time.sleep(0.02)
    raise SandboxDidNotStartError(log.read_text(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """The caller's, without what would send the sandbox's own clients elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}


def _root() -> Path:
    return Path(__file__).resolve().parents[2]


def _json(url: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - always our own address
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        content: dict[str, Any] = json.load(answer)
    return content
