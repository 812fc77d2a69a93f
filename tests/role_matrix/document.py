"""docs/role-matrix.md, made of the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.role_matrix.api import API
from tests.role_matrix.pages import MACHINES, PAGES
from tests.role_matrix.routes import routes
from tests.role_matrix.rows import COLUMNS, HIDDEN, NO, NOT_NOW, SIGN_IN, YES, Row

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "role-matrix.md"
SECTIONS: Final = {"Pages": PAGES, "API": API, "State backend": MACHINES}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
HEADS: Final = {"portal_admin": "portal admin", "token": "read token"}

HEAD = f"""# Role matrix

Who may open each page and call each method of the API. Every row was called as every column against one prepared
tenant, and the answer compared (`tests/test_role_matrix.py`); an address without a row fails there. This file is
made of the same rows: `python -m tests.role_matrix` writes it.

| mark | meaning |
|---|---|
| {YES} | let in (a form may still find fault with what was typed) |
| {NOT_NOW} | refused by the state of things: not now, or nothing of theirs to act on |
| {NO} | refused (403), with the reason, and written to the audit log where it was an act |
| {HIDDEN} | does not exist for them (404) |
| {SIGN_IN} | asked to sign in |

*anonymous* is not signed in. *outsider* holds every role, in another tenant. *viewer* to *admin* hold that one role in
the tenant. *portal admin* is a portal administrator without a role there: counts as its admin, never as a voter.
*read token* is an API token with the scope "read" of somebody who holds every role in the tenant; pages take no
tokens. Whoever may see a place sees its forms, which say who may use them; the POST decides.
"""


@cache
def addresses() -> dict[str, str]:
    return {view: address for view, address, _methods in routes()}


def parameters(view: str) -> list[str]:
    """The names in the address of this view."""
    return PARAMETER.findall(addresses()[view])


def document() -> str:
    notes: list[str] = []
    parts = [HEAD]
    for title, rows in SECTIONS.items():
        parts += [f"## {title}\n", *_table(rows, notes), ""]
    parts += ["## Notes\n", *(f"{number}. {note}" for number, note in enumerate(notes, 1)), ""]
    return "\n".join(parts)


def _table(rows: Sequence[Row], notes: list[str]) -> list[str]:
    """One table; `notes` grows by what its rows add."""
    heads = [HEADS.get(name, name) for name in COLUMNS]
    lines = [f"| | address | {' | '.join(heads)} |", f"|---|---|{':-:|' * len(COLUMNS)}"]
    for row in rows:
        expected = row.expected()
        marks = " | ".join(expected[name] for name in COLUMNS)
        if row.note and row.note not in notes:
            notes.append(row.note)
        mention = f" <sup>{notes.index(row.note) + 1}</sup>" if row.note else ""
        lines.append(f"| {row.method} | `/{_address(row)}`{mention} | {marks} |")
    return lines


def _address(row: Row) -> str:
    """The pattern as people write it, an act by its name."""
    address = PARAMETER.sub(r"{\1}", addresses()[row.view])
    return address.replace("{name}", str(row.args.get("name", "{name}")))
