"""A run that tries another again: the same request, and whether its plan stays within what was approved then.

Nothing is taken for the same unless it can be told: a value that is not shown counts by its keyed
digest, one without a digest does not. What was “known after apply” when it was approved covers the
value it turns out to have, because definition, snapshot and account have to be the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.changes.models import Change, Proposal
from environments.runs.models import ResourceChange, TerraformRun
from environments.runs.titles import VERBS

Leaf = Mapping[str, Any]
# Of the base what makes the same values mean the same.
GROUND: Final = (
    "account",
    "account_kind",
    "account_access",
    "region",
    "definition",
    "definition_digest",
    "snapshot",
    "run",
)
# Which thing is destroyed: its other attributes may move on by themselves.
IDENTITY: Final = ("id", "arn")


def repeat(earlier: Change, change: Change) -> None:
    """The same run of the same definition, targets and replacements for another change."""
    run = earlier.terraform_run
    TerraformRun.objects.create(
        change=change,
        mode=run.mode,
        definition=run.definition,
        targets=run.targets,
        replace=run.replace,
        skip_final_snapshot=run.skip_final_snapshot,
    )


def no_more_than(proposal: Proposal, earlier: Proposal) -> list[str]:
    """What this plan would do that the approved one did not say, a line each; empty when nothing."""
    if proposal.digest == earlier.digest:
        return []
    if any(proposal.base.get(name) != earlier.base.get(name) for name in GROUND):
        return [_("It is planned from another definition, blueprint or account than was approved.")]
    if proposal.base.get("imports", {}) != earlier.base.get("imports", {}):
        return [_("It imports other resources than was approved.")]
    approved: dict[str, list[ResourceChange]] = {}
    for row in _altering(earlier):
        approved.setdefault(row.address, []).append(row)
    new = [
        f"{VERBS.get(row.action, row.action)} {row.address}"
        for row in _altering(proposal)
        if not any(_covers(other, row) for other in approved.get(row.address, ()))
    ]
    return new + _new_outputs(proposal, earlier)


def _altering(proposal: Proposal) -> Iterator[ResourceChange]:
    rows = ResourceChange.objects.filter(proposal=proposal).altering().order_by("rank", "position")
    return rows.iterator(chunk_size=500)


def _covers(approved: ResourceChange, row: ResourceChange) -> bool:
    """Whether doing `row` is part of having done `approved`."""
    if row.action == "delete":
        # What is left of a replacement: the old one still has to go.
        return approved.action in {"delete", "replace"} and _same_thing(approved.detail, row.detail)
    if row.action != approved.action or row.action == "import":
        return False
    if row.action == "replace" and not set(row.replace_paths) <= set(approved.replace_paths):
        return False
    return row.reason == approved.reason and all(_contained(leaf, approved.detail) for leaf in row.detail)


def _same_thing(approved: Sequence[Leaf], detail: Sequence[Leaf]) -> bool:
    then = {leaf["path"]: leaf["before"] for leaf in approved if leaf["path"] in IDENTITY}
    now = {leaf["path"]: leaf["before"] for leaf in detail if leaf["path"] in IDENTITY}
    return bool(now.get("id")) and now == then


def _contained(leaf: Leaf, approved: Sequence[Leaf]) -> bool:
    return any(
        _same_side(leaf, other, "before") and (other["unknown"] or _same_side(leaf, other, "after"))
        for other in approved
        if other["path"] == leaf["path"]
    ) or any(other["unknown"] and _inside(leaf["path"], other["path"]) for other in approved)


def _inside(path: str, whole: str) -> bool:
    """Whether `path` is part of what was unknown as a whole."""
    return path.startswith((f"{whole}.", f"{whole}["))


def _same_side(one: Leaf, other: Leaf, side: str) -> bool:
    if side == "after" and one["unknown"]:
        return False
    mine, theirs = one.get("seal"), other.get("seal")
    if mine or theirs or one["sensitive"] or other["sensitive"]:
        place = 0 if side == "before" else 1
        return bool(mine and theirs and mine[place] and mine[place] == theirs[place])
    return bool(one[side] == other[side]) and type(one[side]) is type(other[side])


def _new_outputs(proposal: Proposal, earlier: Proposal) -> list[str]:
    then = {leaf["name"]: leaf for leaf in earlier.facts.get("outputs", [])}
    return [
        _("Output %(name)s") % {"name": leaf["name"]}
        for leaf in proposal.facts.get("outputs", [])
        if leaf["name"] not in then or not _same_output(leaf, then[leaf["name"]])
    ]


def _same_output(leaf: Leaf, other: Leaf) -> bool:
    return leaf["action"] == other["action"] and bool(
        other["unknown"] or (_same_side(leaf, other, "before") and _same_side(leaf, other, "after"))
    )
