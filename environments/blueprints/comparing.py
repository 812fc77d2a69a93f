"""What differs between two definitions, of one environment or of two."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from environments.blueprints.conversion import member_path
from environments.blueprints.exact import Value
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.snapshots import content_of, snapshot_of
from environments.blueprints.validation import effective
from environments.models import Definition
from portal.core.canonical import canonical_json
from portal.core.keyring import keyring

MISSING = object()
MAX_DIFF_LINES = 2000


@dataclass(frozen=True)
class Row:
    """One value in both definitions. Sensitive rows carry no values, only whether they differ."""

    name: str
    before: Value
    after: Value
    changed: bool
    sensitive: bool = False
    before_missing: bool = False
    after_missing: bool = False


@dataclass(frozen=True)
class FileChange:
    """One file of the blueprint that differs: how is "added", "removed" or "changed"."""

    path: str
    how: str


@dataclass(frozen=True)
class Comparison:
    """Rows in the order of the blueprint's variables; files and diff when the snapshots differ."""

    rows: list[Row]
    files: list[FileChange] = field(default_factory=list)
    variables_diff: str = ""

    @property
    def changed(self) -> list[Row]:
        return [row for row in self.rows if row.changed]

    @property
    def unchanged(self) -> list[Row]:
        return [row for row in self.rows if not row.changed]


def compare(before: Definition, after: Definition) -> Comparison:
    """Everything that `after` sets differently from `before`, defaults included."""
    old, new = snapshot_of(before.snapshot), snapshot_of(after.snapshot)
    rows = list(_rows(before, old, after, new))
    if old.digest == new.digest:
        return Comparison(rows)
    return Comparison(rows, file_changes(old, new), variables_diff(old, new))


def _rows(
    before: Definition, old: BlueprintSnapshot, after: Definition, new: BlueprintSnapshot
) -> Iterator[Row]:
    # A variable that either blueprint calls sensitive is treated so in both.
    hidden = old.sensitive_names | new.sensitive_names | set(before.sensitive) | set(after.sensitive)
    left = effective(old.schema, {**before.variables, **before.sensitive})
    right = effective(new.schema, {**after.variables, **after.sensitive})
    for name in dict.fromkeys([v.name for v in new.schema] + [v.name for v in old.schema]):
        one, other = left.get(name, MISSING), right.get(name, MISSING)
        if name in hidden:
            changed = fingerprint(one) != fingerprint(other)
            yield Row(name, None, None, changed, sensitive=True)
        else:
            yield from _leaves(name, one, other)


def _leaves(path: str, one: Any, other: Any) -> Iterator[Row]:
    """A row per plain value or list; objects and maps are opened while both sides have them."""
    if isinstance(one, dict) and isinstance(other, dict) and (one or other):
        for key in dict.fromkeys([*other, *one]):
            yield from _leaves(member_path(path, key), one.get(key, MISSING), other.get(key, MISSING))
        return
    yield Row(
        path,
        None if one is MISSING else one,
        None if other is MISSING else other,
        _differs(one, other),
        before_missing=one is MISSING,
        after_missing=other is MISSING,
    )


def _differs(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is not other
    # Through JSON: to Python True == 1.
    return canonical_json(one) != canonical_json(other)


def fingerprint(value: Any) -> str:
    """Tells whether two secrets are the same without showing either; "" for none."""
    if value is MISSING:
        return ""
    return keyring().fingerprint(canonical_json(value), context="definition.sensitive")


def file_changes(old: BlueprintSnapshot, new: BlueprintSnapshot) -> list[FileChange]:
    """The files that differ between two snapshots, by path."""
    left = {path: digest for path, digest, _size in old.files}
    right = {path: digest for path, digest, _size in new.files}
    found = []
    for path in sorted({*left, *right}):
        if path not in left:
            found.append(FileChange(path, "added"))
        elif path not in right:
            found.append(FileChange(path, "removed"))
        elif left[path] != right[path]:
            found.append(FileChange(path, "changed"))
    return found


def variables_diff(old: BlueprintSnapshot, new: BlueprintSnapshot) -> str:
    """A unified diff of the files that declare variables."""
    left, right = content_of(old), content_of(new)
    names = {f"{s.root}/{row['file']}" for s in (old, new) for row in s.variables}
    lines: list[str] = []
    for path in sorted(names):
        one, other = _text(left.get(path)), _text(right.get(path))
        lines += difflib.unified_diff(one, other, path, path, lineterm="")
    return "\n".join(lines[:MAX_DIFF_LINES])


def _text(entry: tuple[bytes, bool] | None) -> list[str]:
    return entry[0].decode("utf-8", errors="replace").splitlines() if entry else []
