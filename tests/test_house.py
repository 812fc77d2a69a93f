"""The measures of the code: sizes of modules, functions, views and templates, and the one-way imports."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES_OF_A_MODULE = 400
MEDIAN_OF_MODULES = 90
MOST_LINES_OF_A_FUNCTION = 50
MOST_LINES_OF_A_VIEW = 25
MOST_LINES_OF_A_TEMPLATE = 150
MOST_LINES_OF_AN_ASSET = 800


def sources() -> list[Path]:
    found = [path for top in ("portal", "environments") for path in (ROOT / top).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts and path.read_text().strip()]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(where, lines of the body without its docstring)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - body[0].lineno + 1


def too_long(found: Iterator[tuple[str, int]], most: int) -> list[str]:
    return [f"{where}: {size} lines (at most {most})" for where, size in found if size > most]


def test_no_module_is_a_hall():
    assert too_long(((str(path), lines(path)) for path in sources()), MOST_LINES_OF_A_MODULE) == []


def test_no_module_of_tests_is_a_hall():
    found = ((str(path), lines(path)) for path in (ROOT / "tests").rglob("*.py"))
    assert too_long(found, MOST_LINES_OF_A_MODULE) == []


def test_no_terraform_file_is_a_hall():
    kinds = (path for kind in ("*.tf", "*.hcl") for path in (ROOT / "terraform").rglob(kind))
    assert too_long(((str(path), lines(path)) for path in kinds), MOST_LINES_OF_A_MODULE) == []


def test_the_median_module_fits_a_screen_or_two():
    assert statistics.median(lines(path) for path in sources()) <= MEDIAN_OF_MODULES


def test_no_function_is_a_procession():
    found = (one for path in sources() for one in functions(path))
    assert too_long(found, MOST_LINES_OF_A_FUNCTION) == []


def test_views_are_short():
    views = [path for path in sources() if path.name.endswith("views.py") or path.parent.name == "views"]
    assert views
    assert too_long((one for path in views for one in functions(path)), MOST_LINES_OF_A_VIEW) == []


def test_templates_are_short():
    found = [(str(path), lines(path)) for path in (ROOT / "templates").rglob("*.html")]
    assert too_long(iter(found), MOST_LINES_OF_A_TEMPLATE) == []


def test_css_and_js_have_their_rooms():
    assets = [path for kind in ("css", "js") for path in (ROOT / "portal" / "static").rglob(f"*.{kind}")]
    assert assets
    assert too_long(((str(path), lines(path)) for path in assets), MOST_LINES_OF_AN_ASSET) == []


def test_imports_run_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("name", ["utils", "common", "helpers"])
def test_no_drawer_for_anything(name):
    assert not [path for path in sources() if path.stem == name or name in path.parts]
