"""script/bench broker: what the embedded broker costs, and that it loses nothing.

Prints one line per measure. Fails (exit 1) when a message is lost, damaged or handed out twice.
"""

import importlib
import multiprocessing
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
failures: list[str] = []


def say(what: str, figures: str) -> None:
    print(f"{what:<58} {figures}", flush=True)


def expect(what: str, *, ok: bool) -> None:
    if not ok:
        failures.append(what)


def lines(folder: Path, name: str) -> list[str]:
    path = folder / name
    return path.read_text().split("\n")[:-1] if path.exists() else []


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def start_worker(folder: Path, name: str) -> "subprocess.Popen[bytes]":
    log = (folder / f"{name}.log").open("wb")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "tests.benchmarks.broker_app", "worker"),
            *("-c", "2", "-Q", "bench", "-n", f"{name}@%h", "-l", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        cwd=ROOT,
        env={**os.environ, "BENCH_FOLDER": str(folder)},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


@contextmanager
def workers(app: Any, folder: Path, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started = [start_worker(folder, f"w{number}") for number in range(count)]
    try:
        for _ in range(60):
            answers = app.app.control.ping(timeout=1.0)
            if len(answers) == count:
                break
        else:
            expect(f"{count} workers answer a ping", ok=False)
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def fresh_app(folder: Path) -> Any:
    """The bench app's module on another folder (its address is read once, at import)."""
    os.environ["BENCH_FOLDER"] = str(folder)
    sys.modules.pop("tests.benchmarks.broker_app", None)
    return importlib.import_module("tests.benchmarks.broker_app")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_latency(folder: Path) -> None:
    app = fresh_app(folder)
    with workers(app, folder, 1) as (worker,):
        app.stamp.delay(-1, time.time())  # the first one imports and connects
        wait_for(lambda: lines(folder, "stamps"), 20)
        before, began = cpu_seconds(worker.pid), time.monotonic()
        time.sleep(10)
        idle = (cpu_seconds(worker.pid) - before) / (time.monotonic() - began)
        publish = []
        for number in range(25):
            time.sleep(random.uniform(0.3, 0.9))
            sent = time.time()
            app.stamp.delay(number, sent)
            publish.append(time.time() - sent)
        wait_for(lambda: len(lines(folder, "stamps")) == 26, 20)
    waits = sorted(float(line.split()[1]) * 1000 for line in lines(folder, "stamps")[1:])
    expect("25 messages started", ok=len(waits) == 25)
    p95 = waits[int(len(waits) * 0.95)]
    say("delay() to start, idle worker, n=25: median / p95 / max",
        f"{statistics.median(waits):.0f} / {p95:.0f} / {waits[-1]:.0f} ms")  # fmt: skip
    say("delay() itself (fsync included): median / max",
        f"{statistics.median(publish) * 1000:.1f} / {max(publish) * 1000:.1f} ms")  # fmt: skip
    say("idle CPU of the worker's main process", f"{idle * 100:.1f} %")


def two_workers(folder: Path) -> None:
    app = fresh_app(folder)
    with workers(app, folder, 2):
        began = time.monotonic()
        for number in range(400):
            app.stamp.delay(number, time.time())
        wait_for(lambda: len(lines(folder, "stamps")) >= 400, 120)
        took = time.monotonic() - began
        time.sleep(1)
    done = [line.split()[0] for line in lines(folder, "stamps")]
    say("400 tasks, two workers x 2: unique / doubled / seconds",
        f"{len(set(done))} / {len(done) - len(set(done))} / {took:.1f}")  # fmt: skip
    expect("400 unique tasks, none doubled", ok=sorted(map(int, done)) == list(range(400)))


def killed_worker(folder: Path, *, late: bool) -> None:
    app = fresh_app(folder)
    task = app.late_nap if late else app.nap
    with workers(app, folder, 1) as (worker,):
        for number in range(8):
            task.delay(number)
        wait_for(lambda: len(lines(folder, "started")) >= 2, 20)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        died = time.monotonic()
    started = lines(folder, "started")
    with workers(app, folder, 1):
        expected = {str(n) for n in range(8)} if late else {str(n) for n in range(8)} - set(started)
        wait_for(lambda: expected <= set(lines(folder, "done")), 60)
        took = time.monotonic() - died
    done = lines(folder, "done")
    kind = "acknowledged late" if late else "acknowledged at start (the portal's way)"
    never = 8 - len(set(lines(folder, "started")))
    say(f"kill -9 of a worker, 8 messages, {len(started)} running, {kind}",
        f"never started {never}, completed {len(set(done))}, after {took:.1f} s")  # fmt: skip
    expect(f"every message is started ({kind})", ok=never == 0 and expected <= set(done))


# -- the transport alone: two producers, two consumers ---------------------------------------------------


def _produce(folder: str, first: int, count: int, size: int) -> None:
    from kombu import Connection

    from portal.broker import register

    register()
    with Connection(f"portalfs://{folder}/broker") as connection, connection.SimpleQueue("raw") as queue:
        for number in range(first, first + count):
            queue.put({"id": number, "body": "x" * size})


def _consume(folder: str, name: str, size: int) -> None:
    from queue import Empty

    from kombu import Connection

    from portal.broker import register

    register()
    with (
        Connection(f"portalfs://{folder}/broker", transport_options={"polling_interval": 0.02}) as connection,
        connection.SimpleQueue("raw") as queue,
        Path(folder, name).open("a", buffering=1) as out,
    ):
        while True:
            try:
                message = queue.get(timeout=8)
            except Empty:
                return
            out.write(f"{message.payload['id']} {len(message.payload['body']) == size}\n")
            message.ack()


def race(folder: Path, *, size: int, kill: bool = False) -> None:
    context = multiprocessing.get_context("spawn")
    text = str(folder)
    began = time.monotonic()
    consumers = [context.Process(target=_consume, args=(text, f"got-{n}", size)) for n in range(2)]
    producers = [context.Process(target=_produce, args=(text, start, 1500, size)) for start in (0, 1500)]
    for process in consumers + producers:
        process.start()
    if kill:
        wait_for(lambda: len(lines(folder, "got-0")) > 300, 60)
        consumers[0].kill()
        consumers.append(context.Process(target=_consume, args=(text, "got-2", size)))
        consumers[-1].start()
    for process in producers + consumers:
        process.join(300)
    took = time.monotonic() - began - 8  # the consumers' last wait
    got = [line.split() for n in range(3) for line in lines(folder, f"got-{n}")]
    ids = [int(row[0]) for row in got]
    lost, doubled = 3000 - len(set(ids)), len(ids) - len(set(ids))
    damaged = sum(row[1] != "True" for row in got)
    say(f"3,000 messages of {size} B, 2 producers, 2 consumers{', one killed' if kill else ''}",
        f"lost {lost}, damaged {damaged}, doubled {doubled}, {took:.1f} s")  # fmt: skip
    # A consumer killed between its work and its acknowledgement does that one message's work again.
    expect("nothing lost, damaged or doubled", ok=lost == 0 and damaged == 0 and doubled <= int(kill))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as top:
        folders = iter(Path(top, str(number)) for number in range(100))

        def folder() -> Path:
            made = next(folders)
            made.mkdir()
            return made

        start_latency(folder())
        two_workers(folder())
        killed_worker(folder(), late=False)
        killed_worker(folder(), late=True)
        race(folder(), size=100)
        race(folder(), size=50_000)
        race(folder(), size=50_000, kill=True)
    for failure in failures:
        print(f"NOT MET: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
