"""What differs between two values, leaf by leaf, with what is unknown, sensitive or forces a replacement."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from portal.terraform.documents import MASK, Step, Steps, any_mark, child, embedded, path_text
from portal.terraform.secrets import masked
from portal.terraform.unmarked import with_guesses

Kind = Literal["added", "removed", "changed"]
# Beyond this many elements lists are compared by position: aligning them takes quadratic time.
LONGEST_ALIGNED = 400
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One differing leaf (or subtree that appears or disappears as a whole).

    `before` and `after` are JSON values, "(sensitive)" where masked, None where absent; when `unknown`,
    `after` is None and the value is only known after apply. `sensitive_changed`: the value is shown now
    and was hidden before, or the other way round. `steps` is the path as names and indexes, `path` the
    same as text.
    """

    path: str
    steps: Steps
    kind: Kind
    before: Any
    after: Any
    unknown: bool = False
    sensitive: bool = False
    sensitive_changed: bool = False
    forces_replacement: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Mark trees (see `documents.child`) that belong to one place: what is unknown, what is sensitive on
    each side.
    """

    unknown: Any = None
    before: Any = None
    after: Any = None

    def at(self, old: Step | None, new: Step | None) -> Marks:
        """The marks one step down; None where that side has no such place."""
        return Marks(
            None if new is None else child(self.unknown, new),
            None if old is None else child(self.before, old),
            None if new is None else child(self.after, new),
        )


@dataclass(frozen=True, slots=True)
class RawChange:
    """Like `AttributeChange` before masking: holds real values and must not leave this package."""

    steps: Steps
    before: Any
    after: Any
    marks: Marks
    unknown: bool

    @property
    def sensitive(self) -> bool:
        """Whether either side is marked, wholly or in part."""
        return any_mark(self.marks.before) or any_mark(self.marks.after)

    @property
    def worth_telling(self) -> bool:
        """False where an empty value appears or disappears with its key: true, but no news to a person."""
        absent = self.before is ABSENT or self.after is ABSENT
        return self.unknown or not (absent and is_nothing(self.before) and is_nothing(self.after))


def object_changes(before: Any, after: Any, marks: Marks) -> Iterator[RawChange]:
    """Differing leaves of two objects; None stands for an object that does not exist (before a create,
    after a delete).
    """
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    if marks.unknown is True or marks.before is True or marks.after is True:
        yield from _changes(old or ABSENT, new or ABSENT, marks, ())
    else:
        yield from _maps(old, new, marks, ())


def value_changes(before: Any, after: Any, marks: Marks) -> Iterator[RawChange]:
    """Differing leaves of two values of any type (outputs); None stands for absent."""
    yield from _changes(ABSENT if before is None else before, ABSENT if after is None else after, marks, ())


def _changes(before: Any, after: Any, marks: Marks, steps: Steps) -> Iterator[RawChange]:
    unknown_inside = any_mark(marks.unknown)
    if marks.unknown is True:
        yield RawChange(steps, before, ABSENT, marks, unknown=True)
    elif not unknown_inside and before == after and type(before) is type(after):
        if not _empty(after) and any_mark(marks.before) != any_mark(marks.after):
            yield RawChange(steps, before, after, marks, unknown=False)
    elif marks.before is True or marks.after is True:
        yield RawChange(steps, before, after, marks, unknown_inside)
    elif isinstance(after, dict) and (isinstance(before, dict) or _empty(before)):
        yield from _maps({} if _empty(before) else before, after, marks, steps)
    elif isinstance(after, list) and (
        isinstance(before, list) or _as_elements(before, after, unknown_inside)
    ):
        yield from _lists([] if _empty(before) else before, after, marks, steps)
    else:
        inside = list(_inside_json(before, after, steps))
        yield from inside or [RawChange(steps, before, after, marks, unknown_inside)]


def _inside_json(before: Any, after: Any, steps: Steps) -> Iterator[RawChange]:
    """Differences of two texts that are JSON themselves (container definitions, policies), if they differ
    as JSON.
    """
    old, new = embedded(before), embedded(after)
    if old is not None and new is not None and type(old) is type(new):
        # The marks above do not reach into a text: a container's DB_PASSWORD is told by its name.
        yield from _changes(old, new, Marks(None, with_guesses(old), with_guesses(new)), steps)


def _as_elements(before: Any, after: list[Any], unknown_inside: bool) -> bool:  # noqa: FBT001
    """Whether a list that appears is better told element by element: blocks are, a list of names is not."""
    return _empty(before) and (unknown_inside or any(isinstance(part, dict | list) for part in after))


def _maps(before: dict[str, Any], after: dict[str, Any], marks: Marks, steps: Steps) -> Iterator[RawChange]:
    unknown = marks.unknown if isinstance(marks.unknown, dict) else {}
    for key in sorted({*before, *after, *(name for name, mark in unknown.items() if any_mark(mark))}):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if not any_mark(unknown.get(key)) and _empty(old) and _empty(new):
            continue  # absent and null say the same thing
        yield from _changes(old, new, marks.at(key, key), (*steps, key))


def is_nothing(value: Any) -> bool:
    """Whether a person would say that there is no value: absent, null, "", [] and {}."""
    return _empty(value) or (isinstance(value, str | list | dict) and not value)


def _empty(value: Any) -> bool:
    return value is None or value is ABSENT


def _lists(before: list[Any], after: list[Any], marks: Marks, steps: Steps) -> Iterator[RawChange]:
    for old, new in _aligned(before, after, marks):
        number = new if new is not None else old
        assert number is not None
        yield from _changes(
            ABSENT if old is None else before[old],
            ABSENT if new is None else after[new],
            marks.at(old, new),
            (*steps, number),
        )


def _aligned(before: list[Any], after: list[Any], marks: Marks) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of indexes that belong together. Sets are written as lists: one new element must not shift
    all others.
    """
    short = max(len(before), len(after)) <= LONGEST_ALIGNED
    if short and not any_mark(marks.unknown):
        old, new = [_key(part) for part in before], [_key(part) for part in after]
        for _, i, i_end, j, j_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            yield from _pairs(i, i_end, j, j_end)
    else:
        yield from _pairs(0, len(before), 0, len(after))


def _pairs(i: int, i_end: int, j: int, j_end: int) -> Iterator[tuple[int | None, int | None]]:
    for step in range(max(i_end - i, j_end - j)):
        yield (i + step if i + step < i_end else None, j + step if j + step < j_end else None)


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def present(
    raw: RawChange, *, holds_secret: Callable[[str], bool], replace_paths: tuple[Steps, ...] = ()
) -> AttributeChange:
    """The change as it may be shown: masked, with its kind and whether it forces a replacement."""
    kind: Kind = "changed"
    if _empty(raw.before):
        kind = "added"
    elif _empty(raw.after) and not raw.unknown:
        kind = "removed"
    whole = raw.marks.before is True or raw.marks.after is True
    before = None if _empty(raw.before) else masked(raw.before, whole or raw.marks.before, holds_secret)
    after = None if _empty(raw.after) else masked(raw.after, whole or raw.marks.after, holds_secret)
    if MASK in (before, after):
        # A value that is secret on one side would otherwise be told by the other.
        before, after = before and MASK, after and MASK
    hidden_before, hidden_after = any_mark(raw.marks.before), any_mark(raw.marks.after)
    return AttributeChange(
        path=path_text(raw.steps),
        steps=raw.steps,
        kind=kind,
        before=before,
        after=after,
        unknown=raw.unknown,
        sensitive=raw.sensitive or MASK in (before, after),
        sensitive_changed=kind == "changed" and not raw.unknown and hidden_before != hidden_after,
        forces_replacement=any(
            _starts(raw.steps, path) or _starts(path, raw.steps) for path in replace_paths
        ),
    )


def _starts(steps: Steps, prefix: Steps) -> bool:
    return steps[: len(prefix)] == prefix
