"""The Celery app of the broker benchmark's workers: the portal's transport and nothing else of it."""

import os
import time
from pathlib import Path

from celery import Celery

from portal.broker import register

register()
FOLDER = Path(os.environ["BENCH_FOLDER"])

app = Celery("bench", broker=os.environ.get("BENCH_BROKER") or f"portalfs://{FOLDER / 'broker'}")
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    task_default_queue="bench",
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


def _append(name: str, line: str) -> None:
    # One write of less than a page with O_APPEND is not torn by other writers.
    descriptor = os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, (line + "\n").encode())
    os.close(descriptor)


@app.task
def stamp(number: int, sent_at: float) -> None:
    """Write how long the message took."""
    _append("stamps", f"{number} {time.time() - sent_at:.6f}")


@app.task
def nap(number: int) -> None:
    """Started, one second, done."""
    _append("started", str(number))
    time.sleep(1)
    _append("done", str(number))


@app.task(acks_late=True)
def late_nap(number: int) -> None:
    """The same, acknowledged only at the end."""
    nap(number)
