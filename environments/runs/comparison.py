"""What two proposals of one run mean differently: resource by resource, attribute by attribute, never all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.kinds import Comparison, Difference
from environments.changes.models import Proposal
from environments.runs import differences
from environments.runs.models import ResourceChange

Leaf = Mapping[str, Any]
# Rows with their attributes, and attributes of a row: what a page can carry and a person reads.
SHOWN: Final = 40
ATTRIBUTES: Final = 25
GROUND: Final = {
    "serial": gettext_lazy("The state moved from serial %(then)s to %(now)s."),
    "definition": gettext_lazy("Planned from definition %(then)s, now from %(now)s."),
    "account": gettext_lazy("Planned for AWS account %(then)s, now for %(now)s."),
    "account_kind": gettext_lazy("Planned for an account of the kind %(then)s, now %(now)s."),
    "region": gettext_lazy("Planned for %(then)s, now for %(now)s."),
}


def compare(before: Proposal, after: Proposal) -> Comparison:
    """The first rows with their attributes, worst first; the counts are of all."""
    old, new = differences.index(before), differences.index(after)
    added = [address for address in new if address not in old]
    gone = [address for address in old if address not in new]
    rows: list[Difference] = []
    altered = 0
    for address, then, now in differences.altered(old, new):
        altered += 1
        if len(rows) < SHOWN:
            rows.append(_altered(address, then, now))
    rows += _whole("added", added[: SHOWN - len(rows)], new)
    rows += _whole("gone", gone[: SHOWN - len(rows)], old)
    counts = {"altered": altered, "added": len(added), "gone": len(gone)}
    return Comparison(rows, counts, [*_ground(before, after), *_outputs(before, after)])


def _altered(address: str, then: ResourceChange, now: ResourceChange) -> Difference:
    was = {leaf["path"]: leaf for leaf in then.detail}
    now_is = {leaf["path"]: leaf for leaf in now.detail}
    paths = [path for path in {**was, **now_is} if was.get(path) != now_is.get(path)]
    attributes = [
        {
            "path": path,
            "then": was.get(path),
            "now": now_is.get(path),
            "hidden": _alike(was.get(path), now_is.get(path)),
        }
        for path in paths[:ATTRIBUTES]
    ]
    return Difference("altered", address, then.action, now.action, attributes, len(paths) - len(attributes))


def _alike(then: Leaf | None, now: Leaf | None) -> bool:
    """Whether the difference is in a value that is not shown: both look the same."""
    if then is None or now is None:
        return False
    return all(then[name] == now[name] for name in ("before", "after", "unknown"))


def _whole(what: str, addresses: Sequence[str], index: differences.Index) -> list[Difference]:
    rows = ResourceChange.objects.in_bulk([index[address][1] for address in addresses])
    side, empty = ("now", "then") if what == "added" else ("then", "now")
    found = []
    for address in addresses:
        row = rows[index[address][1]]
        attributes = [{"path": leaf["path"], side: leaf, empty: None} for leaf in row.detail[:ATTRIBUTES]]
        was, now = ("", row.action) if what == "added" else (row.action, "")
        found.append(Difference(what, address, was, now, attributes, len(row.detail) - len(attributes)))
    return found


def _ground(before: Proposal, after: Proposal) -> list[str]:
    told = [
        text % {"then": before.base.get(name), "now": after.base.get(name)}
        for name, text in GROUND.items()
        if before.base.get(name) != after.base.get(name)
    ]
    if before.base.get("snapshot") != after.base.get("snapshot"):
        told.append(_("The blueprint's snapshot is another one."))
    if before.base.get("account_access") != after.base.get("account_access"):
        told.append(_("The AWS account is reached by another role."))
    return told


def _outputs(before: Proposal, after: Proposal) -> list[str]:
    then = {out["name"]: out for out in before.facts.get("outputs", [])}
    now = {out["name"]: out for out in after.facts.get("outputs", [])}
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if not names:
        return []
    shown = ", ".join(names[:ATTRIBUTES]) + (" …" if len(names) > ATTRIBUTES else "")
    return [_("Outputs that differ: %(names)s.") % {"names": shown}]
