"""The launcher keeps its children running, ends them in order, and says in one line what is missing."""

import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.launcher.configuration import read_configuration, read_dotenv
from portal.launcher.errors import Stop
from portal.launcher.folder import DataFolder
from portal.launcher.prerequisites import check_port, check_terraform, choose_sandbox_port
from portal.launcher.processes import Child, look_at, still_there, terraforms
from portal.launcher.steps import ensure_environment, run_step
from portal.launcher.supervisor import Supervisor
from portal.launcher.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(io.StringIO())


def shown(terminal: Terminal) -> str:
    assert isinstance(terminal.stream, io.StringIO)
    return terminal.stream.getvalue()


def child(folder: Path, name: str, code: str) -> Child:
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder), name]
    return Child(name, command, folder / f"{name}.log", ROOT, os.environ)


# Says when it was started and when it was told to end.
OBEDIENT = """
    import signal, sys, time
    from pathlib import Path
    events = Path(sys.argv[1], "events")
    def tell(what):
        with events.open("a") as out:
            out.write(f"{what} {sys.argv[2]}\\n")
    def end(number, frame):
        tell("ended")
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    tell("started")
    time.sleep(120)
"""
# A worker whose "terraform" saves its state through the web process when it is interrupted.
WORKER = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    folder = Path(sys.argv[1])
    terraform = subprocess.Popen([str(folder / "terraform"), str(folder)], start_new_session=True)
    warm = []
    signal.signal(signal.SIGTERM, lambda number, frame: warm.append(1))
    (folder / "working").write_text(str(terraform.pid))
    terraform.wait()
    with (folder / "events").open("a") as out:
        out.write("ended worker\\n")
"""
TERRAFORM = """#!/bin/sh
trap 'sleep 0.4; echo "saved state" >> "$1/events"; exit 1' INT
for turn in $(seq 1200); do sleep 0.1; done
"""


def wait_until(path: Path, text: str = "", seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < end, f"{text!r} never came to {path}"
        time.sleep(0.02)


@pytest.fixture
def supervisor(terminal: Terminal) -> Iterator[Supervisor]:
    made = Supervisor(terminal)
    yield made
    for one in made.children:
        one.kill_group()


def test_a_child_that_dies_is_started_again_and_again_a_little_later(
    supervisor: Supervisor, tmp_path: Path, terminal: Terminal
) -> None:
    web = child(tmp_path, "web", OBEDIENT)
    supervisor.others.append(web)
    supervisor.start(web)
    wait_until(tmp_path / "events", "started web")
    first = web.pid
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 15
    while web.pid == first or not web.running():
        supervisor.look_after()
        assert time.monotonic() < end
        time.sleep(0.02)
    assert "was killed (SIGKILL)" in shown(terminal)
    assert "started again" in shown(terminal)
    waits = [web.note_death() for _ in range(7)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_workers_end_first_and_the_sandbox_last(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.workers = [
        child(tmp_path, name, OBEDIENT) for name in ("worker-changes", "worker-housekeeping")
    ]
    supervisor.others = [child(tmp_path, name, OBEDIENT) for name in ("scheduler", "web", "sandbox")]
    for one in supervisor.children:
        supervisor.start(one)
    for one in supervisor.children:
        wait_until(tmp_path / "events", f"started {one.name}")
    supervisor.stop()
    ended = [line.split()[1] for line in (tmp_path / "events").read_text().splitlines() if "ended" in line]
    assert set(ended[:2]) == {"worker-changes", "worker-housekeeping"}
    assert ended[2:] == ["scheduler", "web", "sandbox"]
    assert not any(one.running() for one in supervisor.children)


@pytest.fixture
def busy(supervisor: Supervisor, tmp_path: Path) -> Supervisor:
    """A worker with a Terraform below it, and a web process."""
    (tmp_path / "terraform").write_text(TERRAFORM)
    (tmp_path / "terraform").chmod(0o755)
    supervisor.workers = [child(tmp_path, "worker", WORKER)]
    supervisor.others = [child(tmp_path, "web", OBEDIENT)]
    for one in supervisor.children:
        supervisor.start(one)
    wait_until(tmp_path / "working")
    wait_until(tmp_path / "events", "started web")
    assert [seen.name for seen in terraforms(supervisor.workers[0].sessions)] == ["terraform"]
    return supervisor


def test_a_running_terraform_is_interrupted_once_and_saves_before_the_web_process_ends(
    busy: Supervisor, tmp_path: Path, terminal: Terminal
) -> None:
    busy.stopper.grace = 0.5
    busy.stop()
    events = (tmp_path / "events").read_text().splitlines()
    assert events == ["started web", "saved state", "ended worker", "ended web"]
    assert "waiting for Terraform to finish. Ctrl-C again" in shown(terminal)
    assert "asked Terraform to stop and save its state" in shown(terminal)


def test_a_second_ctrl_c_interrupts_terraform_at_once(
    busy: Supervisor, tmp_path: Path, terminal: Terminal
) -> None:
    busy.presses = 1
    threading.Timer(0.5, lambda: setattr(busy, "presses", 2)).start()
    began = time.monotonic()
    busy.stop()
    assert time.monotonic() - began < 15, "not the grace period of 30 s"
    assert "saved state" in (tmp_path / "events").read_text()


def test_the_terraform_of_a_killed_worker_is_waited_for_too(
    busy: Supervisor, tmp_path: Path, terminal: Terminal
) -> None:
    """It is an orphan by then: nobody's child, but of the dead worker's family."""
    pool = int((tmp_path / "working").read_text())
    worker = busy.workers[0]
    # Keep it in the worker's session, as a pool process would.
    assert look_at(pool) is not None
    worker.sessions.add(os.getsid(pool))
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.process is not None
    worker.process.wait()
    busy.stopper.grace = 0.3
    busy.stop()
    events = (tmp_path / "events").read_text().splitlines()
    assert events.index("saved state") < events.index("ended web")


def test_a_child_that_ignores_sigterm_is_killed_with_all_it_started(
    supervisor: Supervisor, tmp_path: Path, terminal: Terminal
) -> None:
    stubborn = child(
        tmp_path,
        "web",
        """
        import signal, subprocess, sys, time
        from pathlib import Path
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        inner = subprocess.Popen(["sleep", "120"])
        Path(sys.argv[1], "inner").write_text(str(inner.pid))
        time.sleep(120)
        """,
    )
    supervisor.others = [stubborn]
    supervisor.start(stubborn)
    wait_until(tmp_path / "inner")
    inner = look_at(int((tmp_path / "inner").read_text()))
    assert inner is not None
    supervisor.stopper.stop(stubborn, seconds=0.3)
    assert not stubborn.running()
    time.sleep(0.1)
    assert not still_there(inner)
    assert "killed" in shown(terminal)


def test_only_one_launcher_per_folder(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("""
            import sys, time
            from pathlib import Path
            from portal.launcher.folder import DataFolder
            folder = DataFolder(Path(sys.argv[1]))
            folder.lock("http://127.0.0.1:8123")
            print("locked", flush=True)
            time.sleep(60)
        """), str(tmp_path / "var")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(Stop, match=r"already running here: http://127\.0\.0\.1:8123 \(pid \d+\)"):
        DataFolder(tmp_path / "var").lock("http://127.0.0.1:8124")
    holder.kill()
    holder.wait()
    holder.stdout.close()
    DataFolder(tmp_path / "var").lock("http://127.0.0.1:8124")


def test_what_a_killed_launcher_left_is_ended(tmp_path: Path, terminal: Terminal) -> None:
    folder = DataFolder(tmp_path / "var")
    left = child(tmp_path, "web", OBEDIENT)
    left.start()
    try:
        wait_until(tmp_path / "events", "started web")
        folder.remember([left])
        # Reaped here, because in life nobody of ours is its parent any more.
        threading.Thread(target=lambda: left.process and left.process.wait()).start()
        DataFolder(tmp_path / "var").end_leftovers(terminal)
        assert "ended web" in (tmp_path / "events").read_text()
        assert "left over" in shown(terminal)
    finally:
        left.kill_group()


def test_a_reused_pid_is_not_taken_for_a_leftover(tmp_path: Path, terminal: Terminal) -> None:
    folder = DataFolder(tmp_path / "var")
    folder.list_path.write_text(f'[{{"name": "web", "pid": {os.getpid()}, "start": 1}}]')
    folder.end_leftovers(terminal)
    assert shown(terminal) == ""


def test_the_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\nPORT=8123\n"
        "export DATABASE_URL='postgres://u:p@h/d'\nSLACK=a#b # note\nGATEHOUSE_DATA_DIR=data\n"
    )
    assert read_dotenv(tmp_path / ".env")["SLACK"] == "a#b"
    found = read_configuration(tmp_path, {})
    assert (found.port, found.data) == (8123, tmp_path / "data")
    assert found.environ["DATABASE_URL"] == "postgres://u:p@h/d"
    assert read_configuration(tmp_path, {"PORT": "9000"}).address == "http://127.0.0.1:9000"
    with pytest.raises(Stop, match="no port number"):
        read_configuration(tmp_path, {"PORT": "http"})


def test_the_sandbox_is_left_out_when_it_is_not_wanted(tmp_path: Path) -> None:
    assert read_configuration(tmp_path, {}).sandbox
    assert not read_configuration(tmp_path, {"GATEHOUSE_SANDBOX": "0"}).sandbox
    assert not read_configuration(tmp_path, {"GATEHOUSE_SANDBOX": "0"}).demo
    assert not read_configuration(tmp_path, {"GATEHOUSE_PRODUCTION": "true"}).sandbox
    elsewhere = read_configuration(tmp_path, {"GATEHOUSE_SANDBOX_URL": "http://127.0.0.1:5999"})
    assert not elsewhere.sandbox and elsewhere.demo


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Stop, match=f"Port {port} is taken by another program"):
            check_port(read_configuration(tmp_path, {"PORT": str(port)}))


def test_the_sandbox_keeps_its_port_and_moves_only_when_it_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (tmp_path / "sandbox-port").write_text(str(other.getsockname()[1]))
        moved = choose_sandbox_port(tmp_path)
        assert moved != other.getsockname()[1]
    assert choose_sandbox_port(tmp_path) == moved


def test_no_terraform_is_one_clear_line(tmp_path: Path) -> None:
    configuration = read_configuration(tmp_path, {"GATEHOUSE_TERRAFORM": str(tmp_path / "none")})
    with pytest.raises(Stop, match=r"There is no Terraform at .* Install Terraform"):
        check_terraform(configuration)


def test_no_provider_and_no_internet_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.launcher import prerequisites

    binary = tmp_path / "terraform"
    binary.write_text('#!/bin/sh\necho \'{"terraform_version": "1.11.4", "platform": "linux_amd64"}\'\n')
    binary.chmod(0o755)
    monkeypatch.setattr(prerequisites, "find_mirror", lambda *args, **kwargs: None)
    monkeypatch.setattr(prerequisites, "REGISTRY", "http://127.0.0.1:9/")
    configuration = read_configuration(tmp_path, {"GATEHOUSE_TERRAFORM": str(binary)})
    with pytest.raises(Stop, match=r"neither in a folder of this machine nor can registry.terraform.io"):
        check_terraform(configuration)


def test_an_old_python_is_one_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"):
        (old / name).write_text(
            '#!/bin/sh\n[ "$1" = --version ] && { echo "Python 3.9.2"; exit 0; }\nexit 1\n'
        )
        (old / name).chmod(0o755)
    outcome = subprocess.run(
        ["/bin/sh", str(ROOT / "script" / "python"), "-c", "print(1)"],
        env={"PATH": f"{old}:/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 1
    assert outcome.stderr == "Gatehouse needs Python 3.11 or newer; this machine has Python 3.9.2.\n"


def test_a_failing_step_shows_its_last_lines(tmp_path: Path, terminal: Terminal) -> None:
    command = [sys.executable, "-c", "print('no route to host'); raise SystemExit(3)"]
    with pytest.raises(Stop, match=r"Asking failed \(exit code 3\).*setup.log"):
        run_step(terminal, "database", "Asking", command, cwd=tmp_path, log=tmp_path / "logs" / "setup.log")
    assert "no route to host" in shown(terminal)


def test_dependencies_are_installed_again_only_when_the_lock_changed(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.launcher import steps

    ran: list[list[str]] = []

    def note(*args: object, **kwargs: object) -> str:
        command = args[3]
        assert isinstance(command, list)
        ran.append([str(part) for part in command[1:4]])
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        return ""

    monkeypatch.setattr(steps, "run_step", note)
    (tmp_path / "requirements.txt").write_text("django==5.2.19\n")
    log = tmp_path / "log"
    ensure_environment(terminal, tmp_path, "requirements.txt", log)
    assert [command[1] for command in ran] == ["venv", "pip"]
    ensure_environment(terminal, tmp_path, "requirements.txt", log)
    assert len(ran) == 2
    (tmp_path / "requirements.txt").write_text("django==5.2.20\n")
    ensure_environment(terminal, tmp_path, "requirements.txt", log)
    assert len(ran) == 3
    (tmp_path / "requirements-dev.txt").write_text("pytest==9.2.0\n")
    ensure_environment(terminal, tmp_path, "requirements-dev.txt", log)
    assert len(ran) == 4
    (tmp_path / ".venv" / ".installed-requirements.txt").unlink()
    ensure_environment(terminal, tmp_path, "requirements.txt", log)
    assert len(ran) == 4, "the development lock contains the other"
