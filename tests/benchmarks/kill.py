"""script/bench kill: death at any point, counted.

    script/bench kill             the whole matrix, about ten minutes
    script/bench kill quick       eight deaths, about two minutes

Starts a portal in pieces (two web processes, two workers with folders of their own, housekeeping, scheduler), sends
environment after environment through request, approval, apply and verification with a real Terraform, and kills one
thing at one point of each: what was killed x where it was. Then it proves of every environment that all its resources
are in the state, that no step ran twice in a run nor again once the state held it, that whatever was made outside the
state is listed, that the log has its line, and that no lock, claim, sign-in or folder is left behind.
Fails (exit 1) unless it can print lost 0, doubled 0, stuck 0.

With DATABASE_URL and CELERY_BROKER_URL in the environment it runs on those (an empty database).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from tests.benchmarks.kill_case import Case
    from tests.benchmarks.kill_strikes import Striker
    from tests.processes import Cut, Fleet, Wire

ROOT = Path(__file__).resolve().parents[2]
LEASE, HEARTBEAT, SWEEP, RESEND = 6, 1, 1, 3
# What the portal promises: noticed within the lease and this.
GRACE = 10
GONE_SECONDS = 30
# Workers look for folders of the dead once a minute.
LEFT_SECONDS = 100
LANES = 3
POINTS = ("requested", "init", "planning", "awaiting", "approved", "applying", "state write", "verifying")
WHATS = ("worker", "terraform", "both", "web", "scheduler", "worker+scheduler")
# Where a Terraform runs that could be killed.
WITH_TOOL = ("init", "planning", "applying", "state write")
PEOPLE = {"operator": "operator", "writer": "operator", "approver": "approver", "admin": "admin"}


def matrix(quick: bool) -> list[tuple[str, str]]:
    """(what, point) of every death by kill -9."""
    cells = [
        (what, point)
        for point in POINTS
        for what in WHATS
        if point in WITH_TOOL or what not in ("terraform", "both")
    ]
    # The answer to a write is lost after the portal stored it; and once more where most is at stake.
    cells += [("web", "state write stored"), ("worker", "state write stored"), ("both", "state write stored")]
    cells += [(what, point) for point in ("applying", "state write") for what in WHATS]
    if not quick:
        return cells
    return [
        ("worker", "applying"),
        ("both", "applying"),
        ("terraform", "applying"),
        ("worker", "planning"),
        ("web", "state write"),
        ("web", "state write stored"),
        ("worker+scheduler", "verifying"),
        ("scheduler", "approved"),
    ]


def settings_of(folder: Path) -> dict[str, str]:
    database = os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'gatehouse.sqlite3'}"
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "GATEHOUSE_DATA_DIR": str(folder),
        "GATEHOUSE_WORK_DIR": str(folder / "work" / "bench"),
        "GATEHOUSE_BLUEPRINT_DIRS": str(Path(__file__).with_name("blueprints")),
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": os.environ.get("CELERY_BROKER_URL") or f"portalfs://{folder / 'broker'}",
        "GATEHOUSE_LEASE_SECONDS": str(LEASE),
        "GATEHOUSE_HEARTBEAT_SECONDS": str(HEARTBEAT),
        "GATEHOUSE_SWEEP_SECONDS": str(SWEEP),
        "GATEHOUSE_RESEND_SECONDS": str(RESEND),
        "GATEHOUSE_PRODUCTION": "false",
    }


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut: Cut | None = None
        self.environ = settings_of(folder)
        os.environ.update(self.environ)
        self._through_a_wire()
        done = subprocess.run(
            [sys.executable, "-m", "portal.launcher.database"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        import django

        django.setup()
        self._people()
        self.fleet, self.wire, self.striker = self._start()
        self.cases: list[Case] = []

    def _through_a_wire(self) -> None:
        """A database server is reached through a wire that can be cut."""
        from tests.processes import Cut

        url = urlsplit(self.environ["DATABASE_URL"])
        if url.scheme == "sqlite":
            return
        self.cut = Cut(url.hostname or "127.0.0.1", url.port or 5432)
        place = f"{url.username}:{url.password or ''}@127.0.0.1:{self.cut.port}"
        os.environ["DATABASE_URL"] = self.environ["DATABASE_URL"] = urlunsplit(url._replace(netloc=place))

    def _people(self) -> None:
        from environments.models import Membership, Tenant
        from portal.accounts.models import User
        from portal.accounts.principals import Principal

        self.tenant = Tenant.objects.create(slug="kill", name="Kill")
        self.people = {}
        for name, role in PEOPLE.items():
            user = User.objects.create(username=name, display_name=name, email=f"{name}@example.com")
            Membership.objects.create(user=user, tenant=self.tenant, role=role)
            self.people[name] = Principal(user, "user", name=name)

    def _start(self) -> tuple[Fleet, Wire, Striker]:
        from tests.benchmarks.kill_strikes import Striker
        from tests.processes import Fleet, Wire

        fleet = Fleet(self.folder)
        wire = Wire(lambda: list(fleet.web_ports.values()))
        fleet.environ["GATEHOUSE_INTERNAL_URL"] = wire.url
        fleet.add_web("web-1")
        fleet.add_web("web-2")
        fleet.wait_until_up()
        fleet.add_scheduler("scheduler-1")
        fleet.add_worker("worker-changes-1")
        fleet.add_worker("worker-changes-2")
        fleet.add_worker("worker-housekeeping", queue="housekeeping", concurrency=1)
        return fleet, wire, Striker(fleet, wire)

    # --- stages ------------------------------------------------------------------------------------

    def case(self, what: str, point: str, strike: Callable[..., bool] | None = None) -> Case:
        from tests.benchmarks.kill_case import Case

        number = len(self.cases) + 1
        aim = "state write" if point.startswith("state write") else point
        made = Case(number, what, aim, strike or self.striker.strike, self.people, self.folder, self.tenant)
        self.cases.append(made)
        if strike is None and aim == "state write":
            self.striker.arm(made, stored=point.endswith("stored"))
        return made

    def deaths(self, cells: list[tuple[str, str]]) -> None:
        cases = [self.case(what, point) for what, point in cells]
        with ThreadPoolExecutor(LANES) as lanes:
            list(lanes.map(self._run, cases))

    def database_gone(self, count: int) -> None:
        """Once for many: each is somewhere else on its way when the database goes."""
        gone = threading.Event()

        def strike(case: Case, change: Any) -> bool:
            return gone.is_set()

        cases = [self.case("database", POINTS[n % len(POINTS)], strike) for n in range(count)]
        with ThreadPoolExecutor(count) as lanes:
            running = []
            for case in cases:
                running.append(lanes.submit(self._run, case))
                time.sleep(0.5)
            where = self._where(cases)
            with self._database_away():
                gone.set()
                for case in cases:
                    case.struck_at = case.point = where[case.number]
                time.sleep(GONE_SECONDS)
            # Those that had come through before do not count.
            self.striker.killed += sum(
                place not in ("succeeded", "before the request") for place in where.values()
            )
            for one in running:
                one.result()

    def _where(self, cases: list[Case]) -> dict[int, str]:
        from environments.changes.models import Change

        rows = dict(
            Change.objects.filter(environment__tenant=self.tenant).values_list("environment__slug", "status")
        )
        return {case.number: rows.get(f"case-{case.number}", "before the request") for case in cases}

    def _database_away(self) -> AbstractContextManager[None]:
        from tests.benchmarks.kill_strikes import sqlite_gone

        return self.cut.gone() if self.cut else sqlite_gone(self.folder / "gatehouse.sqlite3")

    def broker_loses(self, count: int) -> None:
        """Every message of these is lost for a while, the sweeper's too."""
        from tests.benchmarks.kill_strikes import LosingBroker

        cases = [self.case("broker", "every message", lambda case, change: False) for _ in range(count)]
        with ThreadPoolExecutor(count) as lanes:
            with LosingBroker() as losing:
                running = [lanes.submit(self._run, case) for case in cases]
                time.sleep(4 * RESEND)
            for case in cases:
                case.struck_at = f"{losing.lost} messages lost"
            self.striker.killed += count
            for one in running:
                one.result()

    def _run(self, case: Case) -> None:
        case.run()
        told = ", ".join(case.outcomes) or "nothing"
        notice = f", noticed after {max(case.notices):.1f} s" if case.notices else ""
        wrong = f"  STUCK {case.stuck}" if case.stuck else ""
        wrong += "".join(f"  {fault}" for fault in case.faults)
        where = case.struck_at or "not struck"
        text = f"{case.number:>3} {case.what:<17} {where:<22} {told}{notice}, {case.seconds:.0f} s{wrong}"
        print(f"  {text}", flush=True)

    # --- the verdict -------------------------------------------------------------------------------

    def report(self) -> int:
        """Print the table and the verdict; the exit status."""
        deadline = time.monotonic() + LEFT_SECONDS
        for case in self.cases:
            case.prove(deadline)
        lost = [f"case {case.number}: {one}" for case in self.cases for one in case.lost]
        doubled = [f"case {case.number}: {one}" for case in self.cases for one in case.doubled]
        stuck = [f"case {case.number}: {case.stuck}" for case in self.cases if case.stuck]
        left = [f"case {case.number}: {one}" for case in self.cases for one in case.faults]
        self._table()
        notices = [notice for case in self.cases for notice in case.notices]
        print()
        verdict = f"lost {len(lost)}, doubled {len(doubled)}, stuck {len(stuck)}, left behind {len(left)}"
        print(f"deaths {self.striker.killed}: {verdict}")
        if notices:
            print(
                f"a worker's death noticed after: median {statistics.median(notices):.1f} s, worst "
                f"{max(notices):.1f} s (n={len(notices)}; promised: lease {LEASE} s + {GRACE} s)"
            )
        for one in (*lost, *doubled, *stuck, *left):
            print(f"NOT MET: {one}")
        return 1 if lost or doubled or stuck or left else 0

    def _table(self) -> None:
        rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for case in self.cases:
            rows[case.what][case.struck_at or "not struck"].append(case.outcomes[0] if case.outcomes else "?")
        print(
            "\nwhat died           where                    how that run ended (the last run of each succeeded)"
        )
        for what, places in rows.items():
            for place, ends in places.items():
                counts = ", ".join(f"{end} {ends.count(end)}" for end in sorted(set(ends)))
                print(f"{what:<19} {place:<24} {counts}")


def main(arguments: list[str]) -> int:
    quick = "quick" in arguments
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gatehouse-kill-") as top:
        bench = Bench(Path(top))
        try:
            bench.deaths(matrix(quick))
            if not quick:
                bench.broker_loses(4)
                bench.database_gone(10)
            status = bench.report()
        finally:
            bench.fleet.stop()
            bench.wire.stop()
        if status and "keep" in arguments:
            print(f"Kept: {top}")
            os.execvp("cp", ["cp", "-r", top, top + "-kept"])
    print(f"{time.monotonic() - began:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
