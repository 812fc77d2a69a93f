"""What a look at drift found, less what people said to ignore until a date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from environments.models import Environment
from environments.runs.models import DriftCheck, DriftIgnore


@dataclass(frozen=True)
class IgnoredRow:
    """A row, or the part of one, that stands folded: `row` has only the attributes the ignores are about."""

    row: Mapping[str, Any]
    ignores: tuple[DriftIgnore, ...]


@dataclass(frozen=True)
class Judged:
    """`rows` count; `ignored` do not. `verdict` is DriftCheck's word, clean when everything left is ignored."""

    verdict: str
    count: int
    rows: Sequence[Mapping[str, Any]]
    ignored: tuple[IgnoredRow, ...] = field(default=())

    @property
    def all_ignored(self) -> bool:
        return bool(self.ignored) and self.count == 0


def active_ignores() -> QuerySet[DriftIgnore]:
    """Ignores that hold now; past ones are kept for the record."""
    return DriftIgnore.objects.filter(ended_at=None, until__gt=timezone.now())


def judged(check: DriftCheck, ignores: Iterable[DriftIgnore]) -> Judged:
    """The look with these ignores of its environment applied."""
    by_address: dict[str, list[DriftIgnore]] = {}
    for one in ignores:
        by_address.setdefault(one.address, []).append(one)
    rows: list[Mapping[str, Any]] = []
    ignored: list[IgnoredRow] = []
    whole = 0
    for row in check.rows:
        left, apart = _split(row, by_address.get(str(row["address"]), []))
        if left is not None:
            rows.append(left)
        if apart is not None:
            ignored.append(apart)
            whole += left is None
    count = check.count - whole
    drifted = check.verdict == DriftCheck.Verdict.DRIFTED and count > 0
    clean_now = check.verdict == DriftCheck.Verdict.DRIFTED and not drifted
    verdict = DriftCheck.Verdict.CLEAN.value if clean_now else check.verdict
    return Judged(verdict, count, rows, tuple(ignored))


def _split(
    row: Mapping[str, Any], ignores: Sequence[DriftIgnore]
) -> tuple[Mapping[str, Any] | None, IgnoredRow | None]:
    """(what counts, what is ignored) of one row. An ignore is about one kind of drift: what was left as
    “changed by hand” shows again when it is gone."""
    mine = [one for one in ignores if one.action == row["action"]]
    whole = tuple(one for one in mine if not one.path)
    if whole:
        return None, IgnoredRow(row, whole)
    paths = {one.path for one in mine}
    # Attributes of what would be made, replaced or destroyed are no choice of their own.
    if not paths or row["action"] != "update":
        return row, None
    attributes = list(row["attributes"])
    apart = [one for one in attributes if one["path"] in paths]
    if not apart:
        return row, None
    found = {one["path"] for one in apart}
    folded = IgnoredRow({**row, "attributes": apart}, tuple(one for one in mine if one.path in found))
    left = [one for one in attributes if one["path"] not in paths]
    # More differ than are kept: those nobody has seen, so nobody ignored them.
    if left or row.get("total", len(attributes)) > len(attributes):
        return {**row, "attributes": left}, folded
    return None, folded


def of(environment: Environment) -> tuple[DriftCheck, Judged]:
    """The environment's last look and what of it counts; an unsaved row before the first look."""
    check = DriftCheck.objects.filter(environment=environment).first() or DriftCheck(environment=environment)
    return check, judged(check, active_ignores().filter(environment=environment))


def row_at(check: DriftCheck, address: str) -> Mapping[str, Any] | None:
    """The row of this address in the last look, ignored or not."""
    return next((row for row in check.rows if row["address"] == address), None)
