"""A state edit in words: its summary, what follows from it, its part of the change page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.models import Change, Proposal
from environments.runs import differences, proposal_page
from environments.runs.models import StateEdit
from environments.runs.titles import counts_text
from portal.accounts.models import User


def summary(facts: Mapping[str, Any]) -> str:
    """In the words of Terraform's memory: nothing here is created or destroyed."""
    parts = [
        (facts["forgets"], _("%(n)s to forget")),
        (facts["counts"].get("update", 0), _("%(n)s to remember otherwise")),
        (facts["counts"].get("move", 0), _("%(n)s under another address")),
        (facts["recalls"], _("%(n)s to know again")),
    ]
    told = [text % {"n": number} for number, text in parts if number]
    return ", ".join(told) or counts_text({}, outputs=len(facts["outputs"]))


def consequences(proposal: Proposal) -> list[str]:
    """What it means for what stands in AWS, worst first; nothing there is touched."""
    facts = proposal.facts
    found = []
    if facts["replaces_lineage"]:
        found.append(
            _("The state kept until now is replaced by that of other infrastructure (another lineage).")
        )
    if facts["forgets"]:
        found.append(
            ngettext(
                "%(n)s resource goes on running and costing, but unmanaged; the next plan will want to create it again.",
                "%(n)s resources go on running and costing, but unmanaged; the next plan will want to create them again.",
                facts["forgets"],
            )
            % {"n": facts["forgets"]}
        )
    if facts["recalls"]:
        found.append(
            ngettext(
                "%(n)s resource is managed again: the next plan may change or destroy it, or create it if it is gone.",
                "%(n)s resources are managed again: the next plan may change or destroy them, "
                "or create those that are gone.",
                facts["recalls"],
            )
            % {"n": facts["recalls"]}
        )
    return found


def page(change: Change, user: User) -> dict[str, Any]:
    """The kind's part of the change page."""
    proposal, edit = change.proposal, change.state_edit
    shared: dict[str, Any] = {"edit": edit, "is_rollback": edit.action == StateEdit.Action.ROLLBACK}
    if proposal is None:
        return shared
    since = differences.since_vote(change, user)
    return shared | {
        "differences": since.lines() if since else [],
        "facts": proposal.facts,
        "counts": proposal.facts["counts"],
        "outputs": proposal.facts["outputs"],
        "effects": consequences(proposal),
        **proposal_page.resources(proposal, new=since.here if since else frozenset()),
    }
