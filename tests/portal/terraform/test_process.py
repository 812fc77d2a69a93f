"""What happens to Terraform when it ends, is stopped, or loses its worker."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from portal.terraform.errors import CommandRefused
from portal.terraform.identity import ProcessIdentity, alive, identify
from portal.terraform.process import LOST, RunningProcess, spawn, start
from tests.portal.terraform.backend import StateServer
from tests.portal.terraform.conftest import HTTP_BACKEND, Workspace, eventually

# One resource is complete at once, one keeps Terraform busy: enough to see whether the first one is lost.
SLOW = (
    HTTP_BACKEND
    + """
resource "terraform_data" "quick" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.quick]
  provisioner "local-exec" {
    command = "touch slow-started; exec sleep 300"
  }
}
"""
)
ENV = {"PATH": os.environ["PATH"]}


def shell(tmp_path: Path, script: str) -> RunningProcess:
    return spawn(["sh", "-c", script], workdir=tmp_path, env=ENV, log_path=tmp_path / "log")


def busy_apply(workspace: Workspace) -> None:
    workspace.write(SLOW)
    workspace.init()
    assert workspace.plan() == 2


def saved_addresses(server: StateServer) -> list[str]:
    assert server.state is not None
    return [f"{one['type']}.{one['name']}" for one in json.loads(server.state)["resources"]]


def test_exit_code_output_and_environment(tmp_path: Path) -> None:
    process = spawn(
        ["sh", "-c", "echo out; echo err >&2; cat; env | grep -c .; pwd; exit 7"],
        workdir=tmp_path,
        env={**ENV, "ONLY": "this"},
        log_path=tmp_path / "log",
    )
    assert process.finish() == 7
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:2] == ["out", "err"]
    # PATH, ONLY, and the shell's own PWD (some add _ or SHLVL): nothing of the worker's.
    assert int(lines[2]) <= 5
    assert lines[3] == str(tmp_path)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_program_that_does_not_exist_says_so_in_the_log(tmp_path: Path) -> None:
    process = spawn(["no-such-program"], workdir=tmp_path, env=ENV, log_path=tmp_path / "log")
    assert process.finish() == 127
    assert "Could not start no-such-program: No such file" in (tmp_path / "log").read_text()


def test_grandchildren_do_not_outlive_a_normal_end(tmp_path: Path) -> None:
    process = shell(tmp_path, "sleep 300 & echo $!; exit 0")
    assert process.finish() == 0
    grandchild = int((tmp_path / "log").read_text())
    assert eventually(lambda: not running(grandchild), 5)


def test_grandchildren_do_not_outlive_a_kill(tmp_path: Path) -> None:
    process = shell(tmp_path, "trap '' INT; sleep 300 & echo $!; wait")
    assert eventually(lambda: (tmp_path / "log").read_text().strip() != "")
    process.kill()
    assert process.finish() == -signal.SIGKILL
    assert process.killed
    assert eventually(lambda: not running(int((tmp_path / "log").read_text())), 5)


def test_interrupt_is_sent_once_however_often_it_is_asked(tmp_path: Path) -> None:
    process = shell(
        tmp_path, "trap 'echo INT' INT; echo ready; for i in 1 2 3 4 5 6; do sleep 0.1; done; exit 4"
    )
    assert eventually(lambda: "ready" in (tmp_path / "log").read_text())
    assert [process.interrupt() for _ in range(5)] == [True, False, False, False, False]
    assert eventually(lambda: "INT" in (tmp_path / "log").read_text())
    # The guard is the second line of defence: it keeps count even of orders that come round the first.
    assert process._popen.stdin is not None
    process._popen.stdin.write(b"i")
    process._popen.stdin.flush()
    assert process.finish() == 4
    assert (tmp_path / "log").read_text().count("INT") == 1


def test_orders_after_the_end_reach_nobody(tmp_path: Path) -> None:
    process = shell(tmp_path, "exit 0")
    assert process.wait(10) == 0
    assert process.interrupt() is False
    process.kill()
    assert not process.killed
    assert process.finish() == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_process_whose_owner_forgot_it_is_interrupted(tmp_path: Path) -> None:
    identity = shell(tmp_path, "exec sleep 300").identity
    gc.collect()
    assert eventually(lambda: alive(identity) is False, 5)


def test_wait_gives_up_after_its_timeout(tmp_path: Path) -> None:
    process = shell(tmp_path, "sleep 300")
    assert process.wait(0.2) is None
    process.kill()
    assert process.finish() == -signal.SIGKILL


def test_identity_names_one_process_for_good(tmp_path: Path) -> None:
    process = shell(tmp_path, "sleep 300")
    identity = process.identity
    assert alive(identity) is True
    assert alive(ProcessIdentity(**identity.as_dict())) is True  # type: ignore[arg-type]
    later = ProcessIdentity(identity.host, identity.boot_id, identity.pid, identity.started + "1")
    assert alive(later) is False, "the number was given to another process"
    assert alive(ProcessIdentity("elsewhere", identity.boot_id, identity.pid, identity.started)) is None
    rebooted = ProcessIdentity(identity.host, "another-boot/1", identity.pid, identity.started)
    assert alive(rebooted) is False
    container = identity.boot_id.partition("/")[0] + "/1"
    assert alive(ProcessIdentity(identity.host, container, identity.pid, identity.started)) is None
    process.kill()
    process.finish()
    assert alive(identity) is False


def test_a_process_waiting_to_be_reaped_is_dead() -> None:
    zombie = subprocess.Popen(["true"])
    try:
        assert eventually(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
        assert alive(identify(zombie.pid)) is False
    finally:
        zombie.wait()


def test_refused_commands_start_nothing(tmp_path: Path) -> None:
    for command, arguments in (("destroy", ()), ("apply", ()), ("state rm", ("x",)), ("apply", ("a", "b"))):
        with pytest.raises(CommandRefused):
            start(command, *arguments, workdir=tmp_path, env=ENV, log_path=tmp_path / "log")
    assert not (tmp_path / "log").exists()


@pytest.mark.terraform
def test_interrupt_saves_the_state_and_gives_the_lock_back(
    workspace: Workspace, state_server: StateServer
) -> None:
    busy_apply(workspace)
    process = workspace.start_apply()
    assert eventually((workspace.folder / "slow-started").exists)
    assert state_server.lock is not None
    process.interrupt()
    assert process.finish() == 1
    assert state_server.lock is None
    assert "terraform_data.quick" in saved_addresses(state_server)
    assert state_server.requests[-1] == "UNLOCK"


WORKER = """
    import sys, threading, time
    from pathlib import Path
    from portal.terraform.options import apply_options
    from portal.terraform.process import start
    folder, binary, cancelled = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "cancelled"
    env = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    made = []
    def begin():
        made.append(start("apply", "plan.bin", workdir=folder, env=env, log_path=folder / "apply.log",
                          options=apply_options(), binary=binary))
    # From a thread that ends at once: the end of a thread is not the death of the worker.
    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    while not (folder / "slow-started").exists():
        time.sleep(0.02)
    if cancelled:
        made[0].interrupt()
    print(made[0].pid, flush=True)
    time.sleep(300)
"""


def lose_worker(workspace: Workspace, state: str = "working") -> int:
    """Let a worker process of its own start an apply, then kill -9 it; gives Terraform's pid."""
    (workspace.folder / "env").write_text(
        "\n".join(f"{name}={value}" for name, value in workspace.env.items())
    )
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(WORKER),
            workspace.folder,
            workspace.installation.binary,
            state,
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as worker:
        try:
            assert worker.stdout is not None
            terraform = int(worker.stdout.readline())
            assert running(terraform), "the thread that started it has ended, and Terraform goes on"
        finally:
            os.kill(worker.pid, signal.SIGKILL)
    return terraform


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.terraform
def test_kill_9_of_the_worker_lets_terraform_save_and_unlock(
    workspace: Workspace, state_server: StateServer
) -> None:
    busy_apply(workspace)
    terraform = lose_worker(workspace)
    assert eventually(lambda: not running(terraform), 20)
    assert "terraform_data.quick" in saved_addresses(state_server)
    assert state_server.lock is None
    assert "Interrupt received" in (workspace.folder / "apply.log").read_text()


# A provisioner that takes its time to stop: Terraform is saving what it can when the worker dies as well.
STUBBORN = SLOW.replace("exec sleep 300", "trap '' INT TERM; sleep 2; touch slow-finished")


@pytest.mark.terraform
def test_kill_9_of_the_worker_after_a_cancel_is_not_a_second_signal(
    workspace: Workspace, state_server: StateServer
) -> None:
    workspace.write(STUBBORN)
    workspace.init()
    workspace.plan()
    terraform = lose_worker(workspace, "cancelled")
    assert eventually(lambda: not running(terraform), 20)
    log = (workspace.folder / "apply.log").read_text()
    assert "Interrupt received" in log
    assert "Two interrupts received" not in log
    assert "terraform_data.quick" in saved_addresses(state_server)
    assert state_server.lock is None


@pytest.mark.terraform
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal exists on Linux only")
def test_kill_9_of_the_guard_lets_terraform_save_and_unlock(
    workspace: Workspace, state_server: StateServer
) -> None:
    busy_apply(workspace)
    process = workspace.start_apply()
    assert eventually((workspace.folder / "slow-started").exists)
    os.kill(process._popen.pid, signal.SIGKILL)
    assert process.wait(30) == LOST
    assert process.finish() == LOST
    assert alive(process.identity) is False
    assert "terraform_data.quick" in saved_addresses(state_server)
    assert state_server.lock is None


@pytest.mark.terraform
def test_kill_9_of_terraform_keeps_the_lock_and_is_told_apart(
    workspace: Workspace, state_server: StateServer
) -> None:
    busy_apply(workspace)
    process = workspace.start_apply()
    assert eventually((workspace.folder / "slow-started").exists)
    process.kill()
    assert process.finish() == -signal.SIGKILL
    assert alive(process.identity) is False, "the proof that the state lock may be released"
    assert state_server.lock is not None
