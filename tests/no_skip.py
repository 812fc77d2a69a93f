"""A pytest plugin (-p tests.no_skip) of script/test: order for two processes, and no quiet skips in CI."""

import os
import re
from collections.abc import Iterator

import pytest

# A test for one database is skipped on the other, and runs in the other leg.
OTHER_DATABASE = re.compile(r"SQLite|PostgreSQL")
# One process each: providers need 655 MB, and a browser wants its time-outs kept.
ALONE = ("terraform", "browser")
# Their Terraform needs no provider: they fill the other process, a file at a time.
LIGHT = "tests/environments/runs/"


# What speaks to the database or the broker without a fixture that says so.
ON_SERVERS = (
    "tests/portal/broker/",
    "tests/portal/launcher/",
    "tests/portal/health/",
    "tests/portal/scheduler/",
)
DATABASE = {"db", "transactional_db", "live_server"}


def asks_a_server(item: pytest.Item) -> bool:
    """Whether the database or the broker makes a difference to this test."""
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = item.get_closest_marker("django_db") is not None
    return marked or bool(fixtures & DATABASE) or item.nodeid.startswith(ON_SERVERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first, each kind in one process, so that the others fill what is left.

    With GATEHOUSE_OTHER_SERVERS what asks no server is left out: it has run in the other leg, and would do the same.
    """
    if os.environ.get("GATEHOUSE_OTHER_SERVERS"):
        same = [item for item in items if not asks_a_server(item)]
        config.hook.pytest_deselected(items=same)
        left_out = set(same)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        for kind in ALONE:
            if item.get_closest_marker(kind) and not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group(_process(kind, item.nodeid)))
    items.sort(key=lambda item: not any(item.get_closest_marker(kind) for kind in ALONE))


def _process(kind: str, nodeid: str) -> str:
    """The name of the process that a long test runs in: the blueprints and the sandbox's stack have one each."""
    if kind == "terraform" and nodeid.startswith(LIGHT):
        return nodeid.partition("::")[0]
    return kind if nodeid.startswith(("tests/terraform/", "tests/browser/")) else f"{kind}-portal"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With GATEHOUSE_NO_SKIP a skip is a failure: CI has everything the tests need."""
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    if os.environ.get("GATEHOUSE_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not OTHER_DATABASE.search(reason):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped where nothing may be: {reason}"
    return report  # type: ignore[return-value]
