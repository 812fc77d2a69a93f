"""Two versions of a state side by side, a page at a time, for the page and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from environments.runs import known_secrets
from environments.runs.models import StateVersion
from portal.core.errors import Conflict
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import read_state
from portal.terraform.state_comparison import Comparison, ResourceDifference, compare

ON_A_PAGE = 100
KINDS = ("removed", "changed", "moved", "added")


@dataclass(frozen=True)
class Part:
    """Some of the differences: `after` leads to the next ones, "" when there are none."""

    rows: tuple[ResourceDifference, ...]
    total: int
    start: int
    after: str


def compared(before: StateVersion, after: StateVersion) -> Comparison:
    """Raises Conflict when one of them cannot be read."""
    known = known_secrets.of_environment(after.environment)
    try:
        return compare(read_state(before.content, known=known), read_state(after.content, known=known))
    except StateUnreadable as unreadable:
        raise Conflict(
            _("One of the two versions cannot be read: %(why)s") % {"why": unreadable}
        ) from unreadable


def part_of(found: Comparison, asked: Mapping[str, str]) -> Part:
    """The rows that `q` (part of an address) and `kind` leave, from the row number in `after` on."""
    text, kind = asked.get("q", "").lower(), asked.get("kind", "")
    rows = [
        row
        for row in found.rows
        if (not kind or row.kind == kind) and (text in row.address.lower() or text in row.moved_from.lower())
    ]
    given = asked.get("after", "")
    start = min(int(given), len(rows)) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    end = start + ON_A_PAGE
    return Part(tuple(rows[start:end]), len(rows), start, str(end) if end < len(rows) else "")


def page_of(found: Comparison, asked: Mapping[str, str]) -> dict[str, Any]:
    """Context of the comparison page."""
    part = part_of(found, asked)
    return {
        "counts": found.counts(),
        "outputs": found.outputs,
        "same_lineage": found.same_lineage,
        "differences": part.rows,
        "difference_total": part.total,
        "difference_first": part.start + 1,
        "difference_last": part.start + len(part.rows),
        "next_after": part.after,
        "before_after": str(max(part.start - ON_A_PAGE, 0)) if part.start else "",
        "text": asked.get("q", ""),
        "kind": asked.get("kind", ""),
        "kinds": [name for name in KINDS if name in found.counts()],
    }
