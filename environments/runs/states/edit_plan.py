"""What a rollback or an import of a state would make Terraform forget, know again and see otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from django.utils.translation import gettext as _

from environments.changes.kinds import Draft, ToolFailure
from environments.changes.models import Proposal
from environments.changes.work import Work
from environments.runs.models import ResourceChange, StateEdit
from environments.runs.planning import RANKS
from environments.runs.states import store
from environments.runs.states.edit_page import summary
from environments.runs.states.edit_sources import as_state, fingerprint, read_wanted
from portal.core.canonical import digest
from portal.terraform.errors import StateUnreadable
from portal.terraform.state_comparison import Comparison, ResourceDifference, compare
from portal.terraform.state_intake import meaning

EMPTY = b'{"version": 4, "serial": 0, "lineage": "", "terraform_version": "", "resources": [], "outputs": {}}'
# A difference between two states -> what it means to Terraform's memory.
ACTIONS = {"removed": "forget", "changed": "update", "moved": "move", "added": "import"}
MODES = {StateEdit.Action.ROLLBACK: "state_rollback", StateEdit.Action.IMPORT: "state_import"}


def propose(work: Work) -> Draft:
    """Compare the present state with the wanted one. Raises ToolFailure."""
    change, edit = work.change, work.change.state_edit
    environment = change.environment
    base = store.position(environment)
    newest = store.current(environment)
    try:
        wanted, content = read_wanted(edit, environment)
        present = newest.content if newest else EMPTY
        compared = compare(as_state(present, environment), wanted)
        same = bool(newest) and meaning(present) == meaning(content)
    except StateUnreadable as unreadable:
        raise ToolFailure(str(unreadable), _("Nothing was changed.")) from unreadable
    lineage_moves = newest is not None and _moves_lineage(edit, compared)
    facts = {
        "kind": change.kind,
        "mode": MODES[StateEdit.Action(edit.action)],
        "counts": _counts(compared),
        "content": fingerprint(content),
        "forgets": compared.counts().get("removed", 0),
        "recalls": compared.counts().get("added", 0),
        "resources": wanted.resource_count,
        "replaces_lineage": lineage_moves,
        "terraform_version": wanted.terraform_version,
        "outputs": [{**asdict(one), "name": one.path} for one in compared.outputs],
        "complete": True,
    }
    return Draft(
        digest=digest(
            {
                "kind": change.kind,
                "mode": facts["mode"],
                "environment": environment.key,
                "present": fingerprint(present),
                "wanted": facts["content"],
                "lineage": wanted.lineage if lineage_moves else base["lineage"],
            }
        ),
        facts=facts,
        base=base,
        summary=summary(facts),
        empty=same and not lineage_moves,
        keep=lambda proposal: _keep(proposal, compared, edit, content),
    )


def _moves_lineage(edit: StateEdit, compared: Comparison) -> bool:
    """Whether a state of other infrastructure replaces the kept one. Raises ToolFailure unless that was confirmed."""
    if edit.action == StateEdit.Action.ROLLBACK or compared.same_lineage:
        return False
    if not edit.replaces_lineage:
        raise ToolFailure(
            _(
                "The imported state has another lineage than the one kept here: it describes other infrastructure."
            ),
            _("Request the import again and type the environment's id if replacing it is what you mean."),
        )
    return True


def _counts(compared: Comparison) -> dict[str, int]:
    return {ACTIONS[kind]: number for kind, number in compared.counts().items()}


def _keep(proposal: Proposal, compared: Comparison, edit: StateEdit, content: bytes) -> None:
    """Inside the engine's transaction: one row a resource, and what was fetched, so that it cannot change any more."""
    if edit.version_id is None and edit.content is None:
        StateEdit.objects.filter(pk=edit.pk).update(content=content)
    ResourceChange.objects.bulk_create(_rows(proposal, compared.rows), batch_size=500)


def _rows(proposal: Proposal, found: Sequence[ResourceDifference]) -> Iterator[ResourceChange]:
    for position, one in enumerate(found):
        action = ACTIONS[one.kind]
        yield ResourceChange(
            proposal=proposal,
            rank=RANKS[action],
            position=position,
            address=one.address[:500],
            module=one.module[:300],
            type=one.type[:120],
            name=one.address.rpartition(".")[2][:200],
            action=action,
            reason=(_("from %(address)s") % {"address": one.moved_from})[:80] if one.moved_from else "",
            detail=[{**asdict(part), "steps": None} for part in one.attributes],
        )
