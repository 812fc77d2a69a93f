"""script/test: every check of the project, from a fresh clone. Ends with pytest's own closing line.

script/test [all|lint|unit|terraform|browser|integration] [options for pytest]

`integration` are the runs of the engine with a real Terraform that needs no provider: what CI repeats on another
database and broker.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from portal.launcher.configuration import ROOT
from portal.launcher.errors import Stop
from portal.launcher.steps import ensure_environment
from portal.launcher.terminal import Terminal
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import find_terraform

PARTS = {
    "all": "",
    "lint": "",
    "unit": "not terraform and not browser",
    "terraform": "terraform",
    "browser": "browser",
    "integration": "terraform",
}
# These need no provider's memory, so that two may run at a time: a file in one process.
INTEGRATION = [
    *("--dist", "loadfile", "tests/environments/runs"),
    # Works on a backup of the embedded default, whatever database the tests have.
    "--ignore=tests/environments/runs/test_without_the_portal.py",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One command that must succeed."""

    name: str
    command: list[str]


def checks(python: Path) -> list[Check]:
    """Everything that is judged without running the product."""
    tools = python.parent
    found = [
        Check("mypy", [str(tools / "mypy")]),
        Check("ruff check", [str(tools / "ruff"), "check", ".", "script/deploy"]),
        Check("ruff format", [str(tools / "ruff"), "format", "--check", ".", "script/deploy"]),
        Check("imports", [str(tools / "lint-imports"), "--no-cache"]),
        Check("django", [str(python), "manage.py", "check", "--fail-level", "WARNING"]),
        Check("migrations", [str(python), "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]
    templates = [str(path) for path in sorted(ROOT.glob("templates/**/*.html"))]
    if templates:
        found.append(
            Check("templates", [str(tools / "djade"), "--check", "--target-version", "5.2", *templates])
        )
    try:
        binary, _, _ = find_terraform(os.environ.get("GATEHOUSE_TERRAFORM"))
    except TerraformMissing:
        return found
    return [
        *found,
        Check("terraform fmt", [str(binary), "fmt", "-check", "-recursive", "-diff", "terraform"]),
    ]


def lint(terminal: Terminal, python: Path) -> bool:
    """Run all checks, two at a time; True when all are well."""
    # Settings must not read this machine's .env or make keys in the clone.
    environ = {**os.environ, "GATEHOUSE_DATA_DIR": str(ROOT / "var" / "lint")}

    def run(check: Check) -> tuple[Check, int, str, float]:
        began = time.monotonic()
        outcome = subprocess.run(
            check.command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = outcome.stdout.decode(errors="replace")
        return check, outcome.returncode, text, time.monotonic() - began

    well = True
    with ThreadPoolExecutor(max_workers=2) as pool:
        for check, status, text, seconds in pool.map(run, checks(python)):
            if status:
                well = False
                terminal.line(text.rstrip())
            terminal.say(
                check.name, f"{'failed' if status else 'ok'} ({seconds:.0f} s)", "bad" if status else "good"
            )
    return well


def run_tests(python: Path, part: str, extra: Sequence[str]) -> int:
    """pytest on several processes; its exit status. More than two cores' worth: most tests wait for others' processes."""
    command = [str(python), "-m", "pytest", "-p", "tests.no_skip"]
    if not any(option == "-n" or option.startswith(("-n=", "--numprocesses")) for option in extra):
        command += ["-n", {"all": "4", "unit": "3"}.get(part, "2"), "--dist", "loadgroup"]
    if PARTS[part] and "-m" not in extra:
        command += ["-m", PARTS[part]]
    if part == "integration":
        command += INTEGRATION
    return subprocess.run([*command, *extra], cwd=ROOT, check=False).returncode


def say_what_is_missing(terminal: Terminal, part: str) -> None:
    """One line for each tool without which tests are skipped."""
    if part in ("all", "browser") and not any(shutil.which(name) for name in BROWSERS):
        terminal.say(
            "missing", "chromium: browser tests are skipped. Debian: apt-get install chromium", "warn"
        )
    if part in ("all", "unit", "terraform", "integration"):
        try:
            find_terraform(os.environ.get("GATEHOUSE_TERRAFORM"))
        except TerraformMissing as missing:
            terminal.say("missing", f"{missing} Tests that run it are skipped.", "warn")


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 when every check and every test is well."""
    terminal = Terminal()
    part, extra = "all", list(arguments)
    if extra and extra[0] in PARTS:
        part = extra.pop(0)
    try:
        python = ensure_environment(
            terminal, ROOT, "requirements-dev.txt", ROOT / "var" / "logs" / "setup.log"
        )
    except Stop as stop:
        terminal.line(terminal.paint(str(stop), "bad"))
        return stop.status
    say_what_is_missing(terminal, part)
    well = lint(terminal, python) if part in ("all", "lint") else True
    if part == "lint":
        return 0 if well else 1
    if not well:
        terminal.line(terminal.paint("Checks failed (above); running the tests all the same.", "bad"))
    status = run_tests(python, part, extra)
    return status or (0 if well else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
