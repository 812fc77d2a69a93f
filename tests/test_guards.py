"""The list of guards fits the code, and docs/rules.md says what the list says. Removing them: script/guards."""

from __future__ import annotations

import os
import re

import pytest

from tests.guards.document import DOCUMENT, written
from tests.guards.guard import ROOT, Guard, every

GUARDS = list(every())


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.says[:60])
def test_a_guard_stands_where_the_list_says(guard: Guard) -> None:
    text = (ROOT / guard.file).read_text()
    assert text.count(guard.snippet) == 1, f"{guard.file}: {guard.snippet!r}"
    assert guard.removed(ROOT) != text
    compile(guard.removed(ROOT), guard.file, "exec")
    for node in guard.tests:
        path, *names = node.split("::")
        source = (ROOT / path).read_text()
        for name in names:
            assert re.search(rf"(def|class) {re.escape(name.partition('[')[0])}\b", source), node


def test_the_document_is_what_the_list_says() -> None:
    if os.environ.get("GATEHOUSE_WRITE_DOCS"):
        DOCUMENT.write_text(written(GUARDS))
    assert DOCUMENT.read_text() == written(GUARDS), "Run GATEHOUSE_WRITE_DOCS=1 pytest tests/test_guards.py"
