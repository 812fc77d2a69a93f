"""Stay with a running process: hand out its lines, keep the lease, obey a cancel, lose nothing at the
end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from portal.terraform.follow import LogFollower, follow
from portal.terraform.process import RunningProcess

Order = Literal["interrupt", "kill"]


def supervise(
    process: RunningProcess,
    *,
    on_lines: Callable[[list[str]], None],
    tick: Callable[[], Order | None],
    interval: float = 0.2,
    follower: LogFollower | None = None,
    grace: float = 600.0,
) -> int:
    """Wait for `process` to end and give its exit code; every line of its log reaches `on_lines`, in
    order, once.

    `tick` is called about every `interval` seconds, before the lines of that moment; it renews the lease
    and says "interrupt" (SIGINT, once however often it is said), "kill" or None. What `tick` and
    `on_lines` do must be quick: lines wait meanwhile. If one of them raises, Terraform is interrupted,
    given `grace` seconds to save its state, killed after that, and the error goes on to the caller. So an
    error that may pass (a database that is busy) should be dealt with inside them.
    """
    source = follower or follow(process.log_path)
    next_tick = 0.0
    try:
        while process.poll() is None:
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + interval
                _obey(process, tick())
            lines = source.read()
            if lines:
                on_lines(lines)
            if not source.more:
                # One batch per interval, however fast the lines come: each may cost the owner a
                # transaction.
                process.wait(max(0.0, next_tick - time.monotonic()))
    except BaseException:
        _stop(process, grace)
        raise
    code = process.finish()
    last = source.rest()
    if last:
        on_lines(last)
    return code


def _obey(process: RunningProcess, order: Order | None) -> None:
    if order == "interrupt":
        process.interrupt()
    elif order == "kill":
        process.kill()


def _stop(process: RunningProcess, grace: float) -> None:
    process.interrupt()
    if process.wait(grace) is None:
        process.kill()
    process.finish()
