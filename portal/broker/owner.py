"""Who holds a claim, and the proof that they are gone.

A process owns a folder in the spool and keeps a record lock on its `alive` file. The kernel drops that
lock with the process (kill -9 and reboot included), so a lock that can be taken is the proof of death:
unlike a pid it is never reused, and unlike flock it is not inherited by a worker's forked children, which
may outlive it.

Record locks belong to the whole process and go when *any* descriptor of the file is closed. Hence one
owner per process and folder, kept here, and `proof_of_death` never opens a lock file of its own process.
"""

import fcntl
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_guard = threading.Lock()
# (pid, spool folder) -> owner's folder. A forked child finds its parent's pid in the key and makes its own.
_own: dict[tuple[int, Path], Path] = {}


def _after_fork() -> None:
    """Another thread of the parent may have held the guard at the moment of the fork."""
    global _guard
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def safe_name(name: str) -> str:
    """`name` as a file name: reversible, without separators, never hidden."""
    quoted = quote(name, safe="")
    return f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted


def process_identity() -> str:
    """This process by host, boot, pid and start (clock ticks after boot; 0 where there is no /proc)."""
    boot, start = "", "0"
    if (boot_file := Path("/proc/sys/kernel/random/boot_id")).exists():
        boot = boot_file.read_text().strip()[:8]
    if (stat_file := Path("/proc/self/stat")).exists():
        # The command in parentheses may hold blanks: count fields behind its end.
        start = stat_file.read_text().rpartition(")")[2].split()[19]
    return f"{safe_name(socket.gethostname())}~{boot}~{os.getpid()}~{start}"


def own_folder(claimed: Path, temporary: Path) -> Path:
    """This process's folder below `claimed`, made on first use; `temporary` is on the same file system.

    It is made under another name and locked before it is renamed, so that nobody ever sees it unlocked.
    """
    key = (os.getpid(), claimed)
    with _guard:
        folder = _own.get(key)
        if folder is None or not folder.is_dir():
            name = f"{process_identity()}~{secrets.token_hex(4)}"
            made = temporary / name
            made.mkdir(mode=0o700)
            descriptor = os.open(made / "alive", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = _own[key] = made.rename(claimed / name)
        return folder


@contextmanager
def proof_of_death(folder: Path) -> Iterator[bool]:
    """True while we hold the lock of an owner's folder, which works only when that process is gone."""
    with _guard:
        if folder in (own for (pid, _), own in _own.items() if pid == os.getpid()):
            yield False
            return
        try:
            descriptor = os.open(folder / "alive", os.O_RDWR)
        except FileNotFoundError:
            yield False  # another process has just cleaned up
            return
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            # Another process may have cleaned up between our open and our lock.
            yield (folder / "alive").exists()
        finally:
            os.close(descriptor)
