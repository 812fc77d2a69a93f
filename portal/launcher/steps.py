"""Steps that must succeed before anything is started; their output goes to a log."""

import hashlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from portal.launcher.errors import Stop
from portal.launcher.terminal import Terminal, Waiting

SHOWN_LINES = 12


def run_step(
    terminal: Terminal,
    name: str,
    text: str,
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    environ: Mapping[str, str] | None = None,
    counted: str = "",
) -> str:
    """Run `command`, show that it goes on, return what it wrote.

    With `counted`, lines that begin so are counted in the progress. Errors: `Stop`, after the last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = Waiting(terminal, name, text)
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=None if environ is None else dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                count = _written(log, before).count(f"\n{counted}") if counted else 0
                waiting.tick(f"({count})" if count else "")
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            terminal.clear()
    written = _written(log, before)
    if process.returncode:
        for line in deque(written.splitlines(), maxlen=SHOWN_LINES):
            terminal.line(f"    {line}")
        raise Stop(f"{text} failed (exit code {process.returncode}). The whole output is in {log}.")
    return written


def ensure_environment(terminal: Terminal, root: Path, lock: str, log: Path) -> Path:
    """`.venv` with exactly what the lock file names; the path of its Python.

    Installed again only when the lock file or the Python changed. `requirements-dev.txt` contains
    `requirements.txt`, so either satisfies the smaller one.
    """
    python = root / ".venv" / "bin" / "python"
    wanted = _stamp(root / lock)
    accepted = {lock, "requirements-dev.txt"}
    stamps = [root / ".venv" / f".installed-{name}" for name in accepted]
    if python.exists() and any(
        stamp.exists() and stamp.read_text() == _stamp(root / stamp.name.removeprefix(".installed-"))
        for stamp in stamps
    ):
        return python
    if not python.exists():
        _make_environment(terminal, root, log)
    began = time.monotonic()
    run_step(
        terminal,
        "dependencies",
        f"Installing {lock}",
        [python, "-m", "pip", "install", "--require-hashes", "--no-input", "-r", root / lock],
        cwd=root,
        log=log,
        counted="Collecting ",
    )
    (root / ".venv" / f".installed-{lock}").write_text(wanted)
    terminal.say("dependencies", f"installed from {lock} in {time.monotonic() - began:.0f} s")
    return python


def _make_environment(terminal: Terminal, root: Path, log: Path) -> None:
    try:
        import ensurepip  # noqa: F401 - Debian ships Python without it
        import venv  # noqa: F401
    except ImportError:
        raise Stop(
            "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
        ) from None
    command: list[str | Path] = [sys.executable, "-m", "venv", root / ".venv"]
    run_step(terminal, "dependencies", "Making .venv", command, cwd=root, log=log)


def _stamp(lock: Path) -> str:
    if not lock.exists():
        return ""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version_info[0]}.{sys.version_info[1]}\n"


def _written(log: Path, before: int) -> str:
    with log.open("rb") as source:
        source.seek(before, os.SEEK_SET)
        return "\n" + source.read().decode(errors="replace")
