"""A whole portal of its own for a test: `script/server` in a folder that is thrown away."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTED_SECONDS = 120
ENDED_SECONDS = 60


class PortalProcess:
    """Launcher, web, workers and scheduler on a free port, with a database and keys of their own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        # The tests' own settings must not reach it: it is a portal as a newcomer starts it.
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "CELERY_BROKER_URL")
        }
        self.environ = {
            **kept,
            "PORT": str(port),
            "GATEHOUSE_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
            "CELERY_BROKER_URL": f"portalfs://{folder / 'broker'}",
            **environ,
        }
        folder.mkdir(parents=True)
        with (folder / "launcher.log").open("wb") as sink:
            self.process = subprocess.Popen(
                [ROOT / "script" / "server"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        patience = time.monotonic() + STARTED_SECONDS
        while True:
            try:
                opener.open(f"{self.url}/readyz", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self.logs()
                assert time.monotonic() < patience, self.logs()
                time.sleep(0.3)

    def manage(self, *words: str, script: str = "") -> str:
        """`manage.py ...` beside it; `script` goes to its standard input."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environ,
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def logs(self) -> str:
        """The end of everything it wrote."""
        found = [self.folder / "launcher.log", *sorted((self.folder / "logs").glob("*.log"))]
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in found)

    def stop(self) -> None:
        """As Ctrl-C does; a launcher that does not end is killed and that fails the test."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(ENDED_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("The launcher did not end.\n" + self.logs()) from None
