"""The small parent that stands between a worker and Terraform. Run as a script, never imported by the
portal.

    python -I -S guard.py WORKDIR PROGRAM ARGUMENT...

Why a process of its own: if the worker dies (kill -9 included), Terraform must get SIGINT exactly once,
so that it saves its state and gives the lock back. A bare PR_SET_PDEATHSIG on Terraform does that too,
but it fires when the *thread* that forked ends, and it fires a second time when a worker dies during a
cancel that was already sent; a second signal makes Terraform abort and lose what it was creating. Here
the worker's death is the end of file on our stdin, and this process remembers whether the one signal went
out. Terraform itself carries PR_SET_PDEATHSIG for the case that this process is the one that is killed.

Wire (stdin, one byte each): `i` interrupt once, `k` kill the group, end of file = the worker is gone.
Wire (stdout, lines):        `pid N`, then at the end `exit N` or `signal N`.
Terraform's stdout and stderr are our stderr: a file, so a dead reader cannot take it down with SIGPIPE.

The program's process group is killed before the program is reaped: its number cannot have been given to
anybody else by then, and children of local-exec do not outlive the run.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys

PR_SET_PDEATHSIG = 1
COULD_NOT_START = 127


def tell(line: str) -> None:
    # The worker may be dead; then nobody needs the answer.
    with contextlib.suppress(OSError):
        os.write(1, line.encode() + b"\n")


def die_with(parent: int) -> None:
    """Ask the kernel for SIGINT when `parent` ends; leave at once if it already has."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(COULD_NOT_START)


def become(program: list[str], workdir: str, parent: int) -> None:
    """In the child: own session, own signals, the log as output, then the program. Never returns."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.chdir(workdir)
        die_with(parent)
        os.execvp(program[0], program)  # noqa: S606 - this is the whole purpose
    except OSError as error:
        os.write(2, f"Could not start {program[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(COULD_NOT_START)


class Guard:
    def __init__(self, child: int) -> None:
        self.child = child
        self.interrupted = False

    def interrupt(self) -> None:
        if not self.interrupted:
            self.interrupted = True
            os.kill(self.child, signal.SIGINT)

    def kill(self) -> None:
        # The child is not reaped yet, so neither its pid nor its group can belong to somebody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, signal.SIGKILL)
        os.kill(self.child, signal.SIGKILL)

    def obey(self, orders: bytes) -> None:
        if b"k" in orders:
            self.kill()
        elif b"i" in orders or not orders:
            self.interrupt()

    def ended(self) -> bool:
        return os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def watch(self, wake: int) -> None:
        """Serve orders until the child has ended (it is left unreaped)."""
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while not self.ended():
                for key, _ in selector.select(timeout=5):
                    if key.fd == wake:
                        numbers = os.read(wake, 512)
                        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                            self.interrupt()
                        continue
                    orders = os.read(0, 512)
                    self.obey(orders)
                    if not orders:
                        selector.unregister(0)


def main(workdir: str, program: list[str]) -> int:
    # Signals only wake the loop; what to do is decided in one place.
    wake, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    here = os.getpid()
    # A signal between fork and exec must wait for the child's own handlers, or ours would swallow it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    child = os.fork()
    if child == 0:
        become(program, workdir, here)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    tell(f"pid {child}")
    guard = Guard(child)
    guard.watch(wake)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    tell(f"signal {-code}" if code < 0 else f"exit {code}")
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
