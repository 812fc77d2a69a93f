"""Which process is meant, for good: a number alone is reused, so it is kept with host, boot and start
time.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import psutil

UNKNOWN_START = "unknown"


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of one boot of one machine.

    `host` is the machine's name (names must differ between machines that share a database), `boot_id` the
    kernel's boot id and the pid namespace, `started` an opaque text that changes when the number is given
    to another process.
    """

    host: str
    boot_id: str
    pid: int
    started: str

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)


@cache
def _boot_of_namespace(_forked: int) -> str:
    if sys.platform == "linux":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # A container has pids of its own: number 41 next door says nothing about number 41 here.
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 - the link itself is special
    return str(int(psutil.boot_time()))


def this_host() -> tuple[str, str]:
    """(name, boot id) of where this code runs."""
    return socket.gethostname(), _boot_of_namespace(os.getpid())


def _linux_start(pid: int) -> str | None:
    """Clock ticks since boot at which `pid` started; None when there is none or it is only waiting to be
    reaped.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in brackets may itself hold blanks and brackets: count from the last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]


def _other_start(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def started(pid: int) -> str | None:
    """When `pid` started, as the opaque text of `ProcessIdentity.started`; None if it is not running."""
    return _linux_start(pid) if sys.platform == "linux" else _other_start(pid)


def identify(pid: int) -> ProcessIdentity:
    """The identity of a process on this machine. If it has already ended, `started` is `UNKNOWN_START`."""
    host, boot = this_host()
    return ProcessIdentity(host, boot, pid, started(pid) or UNKNOWN_START)


def alive(identity: ProcessIdentity) -> bool | None:
    """True: that very process runs. False: proven gone. None: it belongs to another machine or container,
    we cannot tell.
    """
    host, boot = this_host()
    if identity.host != host:
        return None
    if identity.boot_id != boot:
        # Same machine, later boot: everything from before is gone. Same boot, other container: unknown.
        return None if identity.boot_id.partition("/")[0] == boot.partition("/")[0] else False
    return identity.started != UNKNOWN_START and started(identity.pid) == identity.started


def at_work_in(folder: Path) -> bool:
    """Whether a Terraform or a provider of this machine stands in `folder`, or below.

    What a local-exec started and left does not count: it cannot write the state.
    """
    for process in psutil.process_iter():
        try:
            if not process.name().startswith(("terraform", "tofu")):
                continue
            place = Path(process.cwd())
        except (psutil.Error, OSError):
            continue
        if place == folder or folder in place.parents:
            return True
    return False
