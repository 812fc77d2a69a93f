"""What the change page and its fragments show of a run: counts, resources by page, progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from django.db.models import Count
from django.utils.text import slugify
from django.utils.translation import gettext as _

from environments.changes.models import Change, Proposal
from environments.registry import registry
from environments.runs import differences
from environments.runs.models import ResourceChange, ResourceProgress
from portal.accounts.models import User
from portal.terraform.effects import EFFECTS

PAGE_SIZE = 100
# Destroyed and replaced resources are shown unfolded, as long as they are few.
OPEN_ROWS = 5
LOUD = frozenset({"delete", "replace", "forget"})
# A handful of rows needs no folding.
FOLD_FROM = 8
PROGRESS_ROWS = 14


def context(change: Change, user: User) -> Mapping[str, Any]:
    """The run's part of the change page; at most PAGE_SIZE resources, however large the plan."""
    proposal = change.proposal
    run = change.terraform_run
    shared: dict[str, Any] = {"run": run, "definition": run.definition}
    newest = change.environment.latest_definition
    shared["newer_definition"] = newest if newest and newest.number > run.definition.number else None
    if proposal is None:
        return shared
    effects = proposal.facts.get("effects", {})
    found = differences.since_vote(change, user)
    waiting = effects.get("waits_for_deployment", [])
    return shared | {
        "deployed_with": registry.deployed_with(change.environment, waiting) if waiting else [],
        "ownership": registry.ownership(change.environment) if "new_task_definition" in effects else [],
        "differences": found.lines() if found else [],
        "counts": proposal.facts.get("counts", {}),
        "effects": [(_(EFFECTS[name]), addresses) for name, addresses in effects.items() if name in EFFECTS],
        "outputs": proposal.facts.get("outputs", []),
        "touches_iam": proposal.facts.get("touches_iam", []),
        "touches_network": proposal.facts.get("touches_network", []),
        "imports": proposal.facts.get("imports", {}),
        "imports_left_out": proposal.facts.get("imports_left_out", []),
        **resources(proposal, new=found.here if found else frozenset()),
    }


def resources(
    proposal: Proposal,
    *,
    after: str = "",
    action: str = "",
    text: str = "",
    new: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """One page of resource changes after the row "RANK.POSITION", in reading order; addresses in `new` are marked."""
    rows = ResourceChange.objects.filter(proposal=proposal)
    if action:
        rows = rows.filter(action=action)
    if text:
        rows = rows.filter(address__icontains=text)
    rank, _dot, position = after.partition(".")
    if rank.isdecimal() and position.isdecimal():
        rows = rows.filter(rank=int(rank), position__gt=int(position)) | rows.filter(rank__gt=int(rank))
    page = list(rows.order_by("rank", "position")[: PAGE_SIZE + 1])
    more = len(page) > PAGE_SIZE
    page = page[:PAGE_SIZE]
    return {
        "resource_groups": list(_groups(page, new)),
        "resource_total": ResourceChange.objects.filter(proposal=proposal).count(),
        "resource_next": f"{page[-1].rank}.{page[-1].position}" if more else "",
        "resource_action": action,
        "resource_text": text,
    }


def _groups(rows: list[ResourceChange], new: frozenset[str]) -> Iterator[dict[str, Any]]:
    """What destroys stands open and first; the rest is folded by module."""
    # What hurts comes first among what goes: data before tags.
    loud = sorted((row for row in rows if row.action in LOUD), key=lambda row: not row.effects)
    if loud:
        unfold = len(loud) <= OPEN_ROWS
        yield {"name": "", "key": "", "rows": [as_row(row, new, unfold=unfold) for row in loud]}
    quiet = [row for row in rows if row.action not in LOUD]
    folded = len(quiet) > FOLD_FROM
    for module, part in groupby(
        sorted(quiet, key=lambda row: (row.module, row.rank, row.position)), by_module
    ):
        yield {
            "name": (module or _("root module")) if folded else "",
            "key": slugify(f"module-{module or 'root'}"),
            "rows": [as_row(row, new) for row in part],
        }


def by_module(row: ResourceChange) -> str:
    return row.module


def as_row(row: ResourceChange, new: frozenset[str] = frozenset(), *, unfold: bool = False) -> dict[str, Any]:
    """A resource change as components/resource_change.html draws it."""
    return {
        "action": row.action,
        "address": row.address,
        "id": f"r{row.pk}",
        "is_new": row.address in new,
        "open": unfold,
        "summary": ", ".join(one["path"] for one in row.detail[:4]) if row.action == "update" else "",
        "consequences": [
            *([_("It exists already: taken into the state, not created.")] if row.reason == "import" else []),
            *(_(EFFECTS[name]) for name in row.effects if name in EFFECTS),
        ],
        "attributes": [{**one, "changed": True} for one in row.detail],
    }


def progress(change: Change) -> dict[str, Any]:
    """How far the apply is: counts over all, and the rows that say something now."""
    rows = ResourceProgress.objects.filter(change=change).exclude(action="read")
    planned = 0
    if change.proposal is not None:
        planned = change.proposal.resource_changes.exclude(action__in=["read", "move"]).count()
    counted = rows.order_by().values_list("state").annotate(number=Count("pk"))
    states: dict[str, int] = dict(counted)
    return {
        "progress_total": max(planned, sum(states.values())),
        "progress_done": states.get("done", 0),
        "progress_failed": states.get("failed", 0),
        "progress_shown": [_progress_row(row) for row in _shown(rows)],
    }


def _shown(rows: Any) -> list[ResourceProgress]:
    """What moves and what failed first, then what was done last; never more than a screenful or three."""
    moving = list(rows.exclude(state="done").order_by("state", "id")[:PROGRESS_ROWS])
    return moving + list(rows.filter(state="done").order_by("-ended_at")[: PROGRESS_ROWS - len(moving)])


def _progress_row(row: ResourceProgress) -> dict[str, Any]:
    return {
        "status": row.state,
        "action": row.action,
        "address": row.address,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "error": row.error,
    }
