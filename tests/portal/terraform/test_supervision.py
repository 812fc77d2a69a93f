"""Staying with a process until its end."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from portal.terraform.identity import alive
from portal.terraform.process import RunningProcess, spawn
from portal.terraform.supervision import Order, supervise
from tests.portal.terraform.backend import StateServer
from tests.portal.terraform.conftest import Workspace
from tests.portal.terraform.test_process import SLOW

ENV = {"PATH": os.environ["PATH"]}

FLOOD = """
import hashlib, sys, time
lines, digest, start = 30000, hashlib.sha256(), time.monotonic()
for number in range(lines):
    line = f"{number} " + "x" * (number % 200)
    digest.update(line.encode())
    print(line, flush=number % 50 == 0)
    while number % 500 == 0 and time.monotonic() < start + number / 10000:
        time.sleep(0.001)
print(digest.hexdigest(), flush=True)
sys.stdout.write("last words without a line end")
"""


def python(tmp_path: Path, code: str) -> RunningProcess:
    return spawn([sys.executable, "-c", code], workdir=tmp_path, env=ENV, log_path=tmp_path / "log")


def never() -> Order | None:
    return None


def test_no_line_is_lost_at_ten_thousand_a_second(tmp_path: Path) -> None:
    batches: list[list[str]] = []
    ticks = 0

    def tick() -> Order | None:
        nonlocal ticks
        ticks += 1
        return None

    assert supervise(python(tmp_path, FLOOD), on_lines=batches.append, tick=tick) == 0
    lines = [line for batch in batches for line in batch]
    assert len(lines) == 30002
    digest = hashlib.sha256("".join(lines[:30000]).encode()).hexdigest()
    assert lines[30000:] == [digest, "last words without a line end"]
    assert 10 < ticks < 100
    assert len(batches) <= ticks + 1, "a batch may cost a transaction: one per interval, however many lines"


def test_a_tick_can_interrupt_and_then_kill(tmp_path: Path) -> None:
    started = time.monotonic()
    answers = iter(["interrupt"] * 5 + ["kill"] * 100)
    process = python(
        tmp_path,
        "import signal, time; signal.signal(2, lambda *_: print('no', flush=True)); "
        "print('up', flush=True); end = time.time() + 60\nwhile time.time() < end: time.sleep(.1)",
    )
    lines: list[str] = []

    def tick() -> Order | None:
        return next(answers) if lines else None  # type: ignore[return-value]

    code = supervise(process, on_lines=lines.extend, tick=tick, interval=0.05)
    assert code == -signal.SIGKILL
    assert lines == ["up", "no"]
    assert time.monotonic() - started < 20
    assert process.interrupted
    assert process.killed


class LeaseLostError(Exception):
    pass


@pytest.mark.terraform
def test_an_error_of_the_owner_still_lets_terraform_save_its_state(
    workspace: Workspace, state_server: StateServer
) -> None:
    workspace.write(SLOW)
    workspace.init()
    workspace.plan()
    process = workspace.start_apply()

    def on_lines(lines: list[str]) -> None:
        if any("Provisioning with" in line for line in lines):
            raise LeaseLostError

    with pytest.raises(LeaseLostError):
        supervise(process, on_lines=on_lines, tick=never)
    assert alive(process.identity) is False
    assert not process.killed
    assert state_server.lock is None
    assert state_server.state is not None


def test_an_owner_s_error_ends_even_a_deaf_process(tmp_path: Path) -> None:
    process = python(
        tmp_path,
        "import signal, time; signal.signal(2, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
    )

    def on_lines(_: list[str]) -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        supervise(process, on_lines=on_lines, tick=never, grace=0.3)
    assert process.killed
    assert alive(process.identity) is False
