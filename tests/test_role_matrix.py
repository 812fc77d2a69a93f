"""Every address and method, called as everybody: what comes back is what the matrix declares.

Rows stand in tests/role_matrix/{pages,api}.py; docs/role-matrix.md is made of them:
    python -m tests.role_matrix
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from environments.blueprints import snapshots
from tests.role_matrix.calling import Callers, address_of
from tests.role_matrix.document import PATH, SECTIONS, document, parameters
from tests.role_matrix.routes import routes
from tests.role_matrix.stage import prepare

ROWS = [row for rows in SECTIONS.values() for row in rows]
BLUEPRINTS = Path(__file__).parent / "environments" / "runs" / "blueprints"


def test_every_address_and_method_has_a_row():
    declared = {(row.view, row.method) for row in ROWS}
    found = [(view, method, address) for view, address, methods in routes() for method in methods]
    missing = [
        f'    {method.lower()}("{view}", MEMBERS),  # {address}'
        for view, method, address in found
        if (view, method) not in declared
    ]
    assert not missing, (
        "No row in tests/role_matrix/pages.py or api.py says who may open these. Add one line each, with who "
        'may (MEMBERS, SIGNED_IN, may("operator admin"), ...), then run python -m tests.role_matrix:\n'
        + "\n".join(missing)
    )


def test_no_row_is_about_an_address_that_is_gone():
    known = {(view, method) for view, _address, methods in routes() for method in methods}
    assert [(row.view, row.method) for row in ROWS if (row.view, row.method) not in known] == []


@pytest.mark.django_db
@pytest.mark.parametrize("title", SECTIONS)
def test_everybody_gets_what_the_matrix_says(title, settings, monkeypatch):
    settings.BLUEPRINT_DIRS = [BLUEPRINTS]
    snapshots._seen.clear()
    stage = prepare()
    callers, wrong = Callers(stage), []
    # Thousands of refusals are wanted here; each would be a warning of its own.
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    for row in SECTIONS[title]:
        address = address_of(row, stage, parameters(row.view))
        for column, mark in row.expected().items():
            got = callers.mark(row, column, address)
            if got != mark:
                wrong.append(
                    f"{row.method} {row.view} {dict(row.args)}: {column} gets {got}, declared {mark}"
                )
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(wrong)


def test_the_document_is_up_to_date():
    assert PATH.read_text() == document(), f"{PATH.name} is stale: run python -m tests.role_matrix"
