"""Run one Terraform command as a process that we own and that survives nothing by accident.

The worker starts a small guard (see guard.py), the guard starts Terraform in a session of its own. If the
worker dies, the guard sends Terraform one SIGINT: Terraform saves its state and gives the lock back. If
the guard dies, the kernel sends that signal. Output goes to a file, so nobody's death can block or break
Terraform by a closed pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from pathlib import Path

from portal.terraform import guard
from portal.terraform.adapter import CommandLine, Option
from portal.terraform.errors import NotStarted
from portal.terraform.identity import ProcessIdentity, alive, identify

LOST = 254
"""Exit code when the guard was killed, so Terraform's own exit code can never be known."""


class RunningProcess:
    """A started command. Not thread-safe: one owner polls it.

    Terraform is interrupted when the owner's process dies, and also when this object is lost (an error
    between start and supervision): both close the pipe to the guard. The end of a thread does nothing.
    """

    def __init__(self, popen: subprocess.Popen[bytes], log_path: Path) -> None:
        self._popen = popen
        # subprocess keeps a forgotten child's pipes open; ours must close, for that is the message.
        for pipe in (popen.stdin, popen.stdout):
            assert pipe is not None
            weakref.finalize(self, pipe.close)
        self._answers = b""
        self._exit: int | None = None
        self.log_path = log_path
        self.interrupted = False
        self.killed = False
        self.identity: ProcessIdentity = identify(self._first_answer())

    def _first_answer(self) -> int:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        word, _, number = line.decode().strip().partition(" ")
        if word != "pid":
            self._popen.wait()
            self._close()
            raise NotStarted("The guard of the Terraform process did not start.")
        return int(number)

    @property
    def pid(self) -> int:
        """Terraform's own pid, which is also its process group."""
        return self.identity.pid

    def poll(self) -> int | None:
        """None while it runs; then the exit code, negative when a signal ended it (`-9`), or `LOST`."""
        if self._exit is None and self._popen.poll() is not None:
            assert self._popen.stdout is not None
            word, _, number = self._popen.stdout.read().decode().strip().partition(" ")
            if word in ("exit", "signal"):
                self._exit = int(number) * (1 if word == "exit" else -1)
            elif not alive(self.identity):
                self._exit = LOST
        return self._exit

    def wait(self, timeout: float | None = None) -> int | None:
        """Like `poll`, after waiting at most `timeout` seconds (for ever when None)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = 0.5 if deadline is None else min(0.5, deadline - time.monotonic())
            if left <= 0:
                return None
            try:
                self._popen.wait(left)
            except subprocess.TimeoutExpired:
                continue
            if self.poll() is None:
                time.sleep(0.05)  # the guard is gone, Terraform is still saving its state
        return self._exit

    def interrupt(self) -> bool:
        """SIGINT to Terraform: it stops, saves its state and unlocks. Sent at most once; False if it
        already was.
        """
        if self.interrupted or self.poll() is not None:
            return False
        self.interrupted = True
        self._order(b"i", signal.SIGINT)
        return True

    def kill(self) -> None:
        """SIGKILL to Terraform, its providers and what they started. Loses whatever it has not sent to
        the state backend.
        """
        if self.poll() is None:
            self.killed = True
            self._order(b"k", signal.SIGKILL)

    def finish(self) -> int:
        """Wait for the end, let go of the guard and give the exit code. Grandchildren were killed by the
        guard.
        """
        code = self.wait()
        assert code is not None
        if code == LOST:
            self._signal_group(signal.SIGKILL)
        self._close()
        return code

    def _order(self, order: bytes, fallback: signal.Signals) -> None:
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(order)
            self._popen.stdin.flush()
        except OSError:
            # No guard any more. The kernel has then sent SIGINT already; only a kill is still ours to
            # send.
            if fallback is signal.SIGKILL and alive(self.identity):
                self._signal_group(fallback)

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody of the group is left

    def _close(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


def spawn(argv: list[str], *, workdir: Path, env: Mapping[str, str], log_path: Path) -> RunningProcess:
    """Start `argv` in `workdir` with exactly the environment `env`; stdout and stderr are appended to
    `log_path` (0600).

    Stdin is empty. Errors: `NotStarted` (a program that cannot be executed instead ends with 127 and says
    why in the log).
    """
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        popen = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", guard.__file__, str(workdir), *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            env=dict(env),
            start_new_session=True,
        )
    except OSError as error:
        raise NotStarted(f"The Terraform process could not be started: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    return RunningProcess(popen, log_path)


def start(
    command: str,
    *arguments: str,
    workdir: Path,
    env: Mapping[str, str],
    log_path: Path,
    options: Mapping[str, Option] | None = None,
    binary: Path | str = "terraform",
) -> RunningProcess:
    """Start `terraform COMMAND` (see `CommandLine.render` for options). Errors: `CommandRefused`,
    `NotStarted`."""
    argv = CommandLine(str(binary)).render(command, *arguments, options=options)
    return spawn(argv, workdir=workdir, env=env, log_path=log_path)
