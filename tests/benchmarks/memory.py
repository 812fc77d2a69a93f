"""script/bench memory: the web process over 200 live pages that follow 20 logs, and a log of 10,000 lines a second.

    script/bench memory [SECONDS]      how long the logs grow (60)

A real gunicorn web process; its resident memory is read from /proc once a second. The logs take the way of a run's:
a file that is followed, redacted with thirty secrets, and stored in encrypted rows. Each page counts and hashes every
line it got; all must have what was written. Fails (exit 1) when a line is missing or the memory grows.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES, LOGS, RATE = 200, 20, 10_000
CLIENTS = 2
BURST_SECONDS = 20
# The memory of the second half may be this much above the first's: caches settle, a leak does not.
MOST_GROWTH = 0.05

# Writes RATE lines a second to a file, as a busy Terraform would.
WRITER = """
import sys, time
path, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
began, number = time.monotonic(), 0
with open(path, "a") as file:
    while (spent := time.monotonic() - began) < seconds:
        while number < spent * rate:
            number += 1
            file.write(f"aws_instance.node[{number}]: Still creating... [{number // rate}s elapsed]\\n")
        file.flush()
        time.sleep(0.02)
print(number)
"""


def say(what: str, figures: str) -> None:
    print(f"{what:<58} {figures}", flush=True)


def resident(pid: int) -> int:
    """Resident bytes of a process and its children: gunicorn's master and its worker."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            facts = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        if str(pid) in (facts.get("Pid", "").strip(), facts.get("PPid", "").strip()) and "VmRSS" in facts:
            total += int(facts["VmRSS"].split()[0]) * 1024
    return total


class Sampler(threading.Thread):
    """The web process's memory, once a second: (seconds since the start, bytes)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.stop = pid, threading.Event()
        self.began, self.samples = time.monotonic(), [(0.0, resident(pid))]

    def run(self) -> None:
        while not self.stop.wait(1.0):
            self.samples.append((time.monotonic() - self.began, resident(self.pid)))

    def between(self, start: float, end: float) -> float:
        """The median within this part of the time, in MB."""
        return statistics.median(size for at, size in self.samples if start <= at <= end) / 1e6


class Log:
    """One change's log, from a file to its rows, as a worker does it."""

    def __init__(self, change: Any, path: Path, hidden: list[str]) -> None:
        from environments.changes.log import LogWriter
        from portal.core.redaction import Redactor
        from portal.terraform.follow import follow

        self.change, self.path, self.written = change, path, 0
        self.follower = follow(path)
        self.writer = LogWriter(change, change.fence, Redactor(hidden))
        self.digest = hashlib.sha256()

    def deliver(self, *, last: bool = False) -> None:
        lines = self.follower.rest() if last else self.follower.read()
        if lines:
            self.writer.write("\n".join(lines))
            self.written += len(lines)
            self.digest.update(("\n".join(lines) + "\n").encode())
        if last:
            self.writer.close()

    def end(self) -> None:
        from environments.changes.models import Change

        self.deliver(last=True)
        Change.objects.filter(pk=self.change.pk).update(status="succeeded")


def prepare(folder: Path) -> tuple[Any, str]:
    """The database with one tenant; (its environment, a signed-in person's cookie)."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable")
    from django.conf import settings
    from django.test import Client

    from environments.models import Definition, Environment, Membership, Tenant
    from portal.accounts.models import User

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    person = User.objects.create(username="operator", display_name="Operator")
    Membership.objects.create(user=person, tenant=tenant, role="operator")
    place = Environment.objects.create(tenant=tenant, slug="bench", name="bench", blueprint="steps")
    Definition.objects.create(
        environment=place, number=1, blueprint="steps", snapshot="0" * 64, author=person
    )
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    return place, f"{name}={client.cookies[name].value}"


def executing(place: Any, title: str) -> Any:
    """A change as it is while Terraform applies."""
    from django.utils import timezone

    from environments.changes.models import Change
    from environments.runs.models import TerraformRun

    change = Change.objects.create(
        environment=place,
        kind="terraform_run",
        title=title,
        status="executing",
        requested_by_name="bench",
        started_at=timezone.now(),
        due_at=None,
    )
    TerraformRun.objects.create(change=change, mode="apply", definition=place.latest_definition)
    return change


@contextmanager
def pages(address: str, cookie: str, number: int, logs: list[Log]) -> Iterator[list[subprocess.Popen[str]]]:
    """So many live pages, in CLIENTS processes."""
    changes = ",".join(str(log.change.uuid) for log in logs)
    words = [sys.executable, "-m", "tests.benchmarks.memory_pages", address, cookie, str(number // CLIENTS)]
    clients = [
        subprocess.Popen([*words, changes], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _client in range(CLIENTS)
    ]
    try:
        yield clients
    finally:
        for client in clients:
            client.kill()
            client.wait()


def compared(clients: list[subprocess.Popen[str]], logs: list[Log]) -> tuple[int, int, int]:
    """(pages, lines they got together, pages that lack something or were refused)."""
    wanted = {str(log.change.uuid): (log.written, log.digest.hexdigest()) for log in logs}
    told = [page for client in clients for page in json.loads(client.communicate(timeout=900)[0])]
    wrong = [page for page in told if (page["lines"], page["sha256"]) != wanted[page["change"]]]
    wrong += [page for page in told if page["failed"] or not page["complete"]]
    for page in wrong[:3]:
        print(f"  missing: {page}, written {wanted[page['change']]}")
    return len(told), sum(page["lines"] for page in told), len(wrong)


def live_pages(place: Any, address: str, cookie: str, folder: Path, seconds: float, sampler: Sampler) -> bool:
    """PAGES pages follow LOGS logs that grow by RATE lines a second together."""
    hidden = [secrets.token_urlsafe(24) for _secret in range(30)]
    logs = [Log(executing(place, f"run {n}"), folder / f"{n}.log", hidden) for n in range(LOGS)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(log.path), str(RATE // LOGS), str(seconds)],
                         stdout=subprocess.DEVNULL)
        for log in logs
    ]  # fmt: skip
    start = time.monotonic()
    with pages(address, cookie, PAGES, logs) as clients:
        while any(writer.poll() is None for writer in writers):
            for log in logs:
                log.deliver()
            time.sleep(0.2)
        for log in logs:
            log.end()
        spent = time.monotonic() - start
        number, lines, wrong = compared(clients, logs)
    end = time.monotonic() - sampler.began
    written = sum(log.written for log in logs)
    say("lines written to 20 logs, a second", f"{written:,}  {written / spent:,.0f}/s")
    say("live pages, lines they got, pages that lack any", f"{number}  {lines:,}  {wrong}")
    warm = start - sampler.began + 15
    half = (warm + end) / 2
    first, second = sampler.between(warm, half), sampler.between(half, end)
    most = max(size for at, size in sampler.samples) / 1e6
    say(
        "web memory, MB (before, first half, second half, most)",
        f"{sampler.samples[0][1] / 1e6:.0f}  {first:.0f}  {second:.0f}  {most:.0f}",
    )
    return wrong == 0 and second <= first * (1 + MOST_GROWTH)


def burst(place: Any, address: str, cookie: str, folder: Path) -> bool:
    """One log of RATE lines a second, with ten pages at it."""
    log = Log(executing(place, "burst"), folder / "burst.log", [secrets.token_urlsafe(24) for _ in range(30)])
    words = [sys.executable, "-c", WRITER, str(log.path), str(RATE), str(BURST_SECONDS)]
    with pages(address, cookie, 10, [log]) as clients:
        began = time.monotonic()
        writer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        while writer.poll() is None:
            log.deliver()
            time.sleep(0.1)
        log.end()
        spent = time.monotonic() - began
        meant = int(writer.communicate()[0])
        number, lines, wrong = compared(clients, [log])
    same = hashlib.sha256(log.path.read_bytes()).hexdigest() == log.digest.hexdigest()
    say(
        "one log: lines written, stored, a second",
        f"{meant:,}  {log.written:,}  {log.written / spent:,.0f}/s",
    )
    say("pages at it, lines they got, pages that lack any", f"{number}  {lines:,}  {wrong}")
    return same and meant == log.written and wrong == 0


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name:
        folder = Path(name)
        os.environ |= {"GATEHOUSE_DATA_DIR": name, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        os.environ |= {"GATEHOUSE_DEMO": "0", "LOG_LEVEL": "ERROR"}
        place, cookie = prepare(folder)
        from tests.processes import Fleet

        fleet = Fleet(folder, GATEHOUSE_DATA_DIR=name)
        try:
            address = f"127.0.0.1:{fleet.add_web('web')}"
            fleet.wait_until_up()
            pid = fleet.children["web"].pid
            sampler = Sampler(pid)
            sampler.start()
            fine = live_pages(place, address, cookie, folder, seconds, sampler)
            fine = burst(place, address, cookie, folder) and fine
            sampler.stop.set()
        finally:
            fleet.stop()
    say("no line lost, memory flat", "yes" if fine else "NO")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
