"""docs/rules.md, from the list of guards."""

from __future__ import annotations

from collections.abc import Iterable

from tests.guards.guard import ROOT, Guard

DOCUMENT = ROOT / "docs" / "rules.md"
HEAD = """# The rules, what holds them, and the tests that fail without it

Written by `tests/test_guards.py` from `tests/guards/`. `script/guards` takes each guard out of a copy of the tree and
runs its tests there: one of them has to fail. "Rule" is a rule of the engine (`docs/architecture.md`), "trap" something
that was measured to go wrong on this stack.

| rule | what holds | where | test that fails without it |
|---|---|---|---|
"""


def written(guards: Iterable[Guard]) -> str:
    """The whole document."""
    return HEAD + "".join(_row(guard) for guard in guards)


def _row(guard: Guard) -> str:
    tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in guard.tests)
    says = guard.says.replace("|", "\\|")
    return f"| {guard.rule} | {says} | `{guard.file}` | {tests} |\n"
