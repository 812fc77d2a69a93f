"""Removes each guard in a copy of the tree and runs its tests there: script/guards [words of the rule ...].

Exits with 1 when a guard could be removed and nothing failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from tests.guards.guard import ROOT, Guard, every

COPIED = ("portal", "environments", "templates", "terraform", "tests", "docs", "script")
FILES = ("manage.py", "pyproject.toml", ".importlinter")
TESTS_FAILED = 1
AT_ONCE = 2


def copy_tree(folder: Path) -> Path:
    """A copy to break, with this tree's packages beside it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    return folder


def without(guard: Guard, folder: Path) -> tuple[bool, str]:
    """Whether its tests notice that the guard is gone, and which one did."""
    path = folder / guard.file
    whole = path.read_text()
    path.write_text(guard.removed(folder))
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:logging", *guard.tests]
    try:
        ran = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False
        )
    finally:
        path.write_text(whole)
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    # A tree that cannot even be imported proves nothing.
    return ran.returncode == TESTS_FAILED and bool(failed), (
        failed or [f"pytest ended with {ran.returncode}"]
    )[0]


def main(words: list[str]) -> int:
    chosen = [
        one for one in every() if all(word.lower() in f"{one.rule} {one.says}".lower() for word in words)
    ]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="gatehouse-guards-") as folder:
        free: Queue[Path] = Queue()
        for number in range(AT_ONCE):
            free.put(copy_tree(Path(folder) / str(number)))

        def trial(guard: Guard) -> tuple[bool, str]:
            place = free.get()
            try:
                return without(guard, place)
            finally:
                free.put(place)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for guard, (noticed, how) in zip(chosen, pool.map(trial, chosen), strict=True):
                survived += not noticed
                print(
                    f"{'noticed ' if noticed else 'SURVIVED'}  {guard.rule}: {guard.says}\n          {how[:150]}"
                )
                sys.stdout.flush()
    print(f"{len(chosen)} guards removed, {len(chosen) - survived} noticed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
