"""What differs between two states: by resource, by output, and whether they describe the same infrastructure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from portal.terraform.differences import (
    ABSENT,
    AttributeChange,
    Marks,
    RawChange,
    object_changes,
    present,
)
from portal.terraform.secrets import SecretMatcher
from portal.terraform.state import State, StateResource

# The key of an instance within one state: a replacement may leave a deposed object at the same address.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ResourceDifference:
    """`kind` is added, removed, changed or moved (the same object under another address).

    `attributes` (masked) only for changed and moved; `moved_from` is the address in the older state;
    `deposed` the key of an object that a replacement left behind. `tainted_now`: the next plan replaces it.
    """

    address: str
    type: str
    kind: str
    module: str = ""
    attributes: tuple[AttributeChange, ...] = ()
    moved_from: str = ""
    deposed: str = ""
    tainted_now: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two states side by side. `outputs` have their name as `path`, values masked."""

    rows: tuple[ResourceDifference, ...]
    outputs: tuple[AttributeChange, ...]
    same_lineage: bool

    def counts(self) -> dict[str, int]:
        """Number of resources by kind, those that occur only."""
        kinds = [row.kind for row in self.rows]
        return {kind: kinds.count(kind) for kind in ("removed", "changed", "moved", "added") if kind in kinds}


def compare(old: State, new: State) -> Comparison:
    """The older state beside the newer one."""
    return Comparison(
        rows=state_differences(old, new),
        outputs=output_differences(old, new),
        same_lineage=old.lineage == new.lineage,
    )


def state_differences(old: State, new: State) -> tuple[ResourceDifference, ...]:
    """What the newer state has that the older has not, and the other way round, by address."""
    before = {(one.address, one.deposed): one for one in old.managed}
    after = {(one.address, one.deposed): one for one in new.managed}
    matcher = SecretMatcher(old.secrets | new.secrets)
    return tuple(_differences(before, after, matcher))


def output_differences(old: State, new: State) -> tuple[AttributeChange, ...]:
    """Outputs that differ, by name; sensitive ones masked on both sides."""
    before = {one.name: one for one in old.outputs}
    after = {one.name: one for one in new.outputs}
    matcher = SecretMatcher(old.secrets | new.secrets)
    found = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        marks = Marks(None, bool(one and one.sensitive) or None, bool(other and other.sensitive) or None)
        was, now = one.value if one else ABSENT, other.value if other else ABSENT
        if one is None or other is None or was != now or one.sensitive != other.sensitive:
            raw = RawChange((name,), was, now, marks, unknown=False)
            found.append(present(raw, holds_secret=matcher.holds_secret))
    return tuple(found)


def _differences(
    before: dict[Key, StateResource], after: dict[Key, StateResource], matcher: SecretMatcher
) -> Iterator[ResourceDifference]:
    moved = _moved(before, after)
    left = set(moved.values())
    for key in sorted({*before, *after} - left):
        one, other = before.get(moved.get(key, key)), after.get(key)
        if one is not None and other is None:
            yield ResourceDifference(one.address, one.type, "removed", one.module, deposed=one.deposed)
        elif other is not None and one is None:
            yield ResourceDifference(other.address, other.type, "added", other.module, deposed=other.deposed)
        elif one is not None and other is not None:
            yield from _changed(one, other, matcher)


def _changed(
    one: StateResource, other: StateResource, matcher: SecretMatcher
) -> Iterator[ResourceDifference]:
    raw = object_changes(one._raw, other._raw, Marks(None, one._marks, other._marks))
    attributes = tuple(present(change, holds_secret=matcher.holds_secret) for change in raw)
    is_moved = one.address != other.address
    if attributes or is_moved or one.tainted != other.tainted:
        yield ResourceDifference(
            other.address,
            other.type,
            "moved" if is_moved else "changed",
            other.module,
            attributes,
            moved_from=one.address if is_moved else "",
            deposed=other.deposed,
            tainted_now=other.tainted and not one.tainted,
        )


def _moved(before: dict[Key, StateResource], after: dict[Key, StateResource]) -> dict[Key, Key]:
    """New place -> old place of objects that changed their address: same type, provider, region and id, and no
    other object of that name on either side.
    """
    gone = _by_identity(one for key, one in before.items() if key not in after)
    come = _by_identity(one for key, one in after.items() if key not in before)
    return {
        (new[0].address, ""): (gone[identity][0].address, "")
        for identity, new in come.items()
        if len(new) == 1 and len(gone.get(identity, ())) == 1
    }


def _by_identity(resources: Iterator[StateResource]) -> dict[tuple[str, ...], list[StateResource]]:
    found: dict[tuple[str, ...], list[StateResource]] = {}
    for one in resources:
        if one.id and not one.deposed:
            found.setdefault((one.type, one.provider, one.region, one.id), []).append(one)
    return found
