"""The plugin of script/test: in CI a skip is a failure, unless the test is for the other database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SUITE = """
import pytest
def test_runs(): ...
@pytest.mark.skip(reason="{reason}")
def test_skipped(): ...
"""


def run(folder: Path, reason: str, no_skip: str, other: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "test_suite.py").write_text(SUITE.format(reason=reason))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.no_skip",
        "-p",
        "no:django",
        "-p",
        "no:xdist",
        "-q",
    ]
    return subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(folder), str(folder / "test_suite.py")],
        cwd=ROOT,
        env={**os.environ, "GATEHOUSE_NO_SKIP": no_skip, "GATEHOUSE_OTHER_SERVERS": other},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_is_a_failure_in_ci_and_says_which(tmp_path: Path) -> None:
    outcome = run(tmp_path, "no chromium", "1")
    assert outcome.returncode == 1
    assert "1 passed, 1 error" in outcome.stdout
    assert "no chromium" in outcome.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    outcome = run(tmp_path, "no chromium", "")
    assert outcome.returncode == 0
    assert "1 passed, 1 skipped" in outcome.stdout


def test_a_test_for_the_other_database_may_be_skipped(tmp_path: Path) -> None:
    assert run(tmp_path, "TRUNCATE exists in PostgreSQL only", "1").returncode == 0


def test_on_other_servers_only_what_asks_one_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = """
import pytest
@pytest.fixture
def db(): ...
@pytest.fixture
def row(db): ...
def test_alone(): ...
def test_with_a_row(row): ...
@pytest.mark.django_db
def test_marked(): ...
"""
    monkeypatch.setattr(f"{__name__}.SUITE", suite + "# {reason}")
    outcome = run(tmp_path, "", "1", "1")
    assert "2 passed, 1 deselected" in outcome.stdout, outcome.stdout
