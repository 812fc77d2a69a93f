"""What a rollback or an import of a state would make Terraform forget, know again and see otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.accounts import access_to
from environments.changes.kinds import Draft, ToolFailure
from environments.changes.models import Change, Proposal
from environments.changes.work import Work
from environments.models import Environment
from environments.runs import differences, known_secrets, proposal_page, state
from environments.runs.models import ResourceChange, StateEdit
from environments.runs.planning import RANKS
from environments.runs.titles import counts_text
from environments.runs.workspace import installed
from portal.accounts.models import User
from portal.aws.objects import read_object
from portal.core.canonical import canonical_json, digest
from portal.core.errors import GatehouseError
from portal.core.keyring import keyring
from portal.terraform.errors import StateUnreadable, TerraformMissing
from portal.terraform.state import State, read_state
from portal.terraform.state_comparison import Comparison, ResourceDifference, compare
from portal.terraform.state_intake import accept_state, meaning, renumbered

EMPTY = b'{"version": 4, "serial": 0, "lineage": "", "terraform_version": "", "resources": [], "outputs": {}}'
# A difference between two states -> what it means to Terraform's memory.
ACTIONS = {"removed": "forget", "changed": "update", "moved": "move", "added": "import"}
MODES = {StateEdit.Action.ROLLBACK: "state_rollback", StateEdit.Action.IMPORT: "state_import"}


def propose(work: Work) -> Draft:
    """Compare the present state with the wanted one. Raises ToolFailure."""
    change, edit = work.change, work.change.state_edit
    environment = change.environment
    base = state.position(environment)
    newest = state.current(environment)
    try:
        wanted, content = read_wanted(edit, environment)
        present = newest.content if newest else EMPTY
        compared = compare(_read(present, environment), wanted)
        same = bool(newest) and meaning(present) == meaning(content)
    except StateUnreadable as unreadable:
        raise ToolFailure(str(unreadable), _("Nothing was changed.")) from unreadable
    lineage_moves = (
        edit.action == StateEdit.Action.IMPORT and not compared.same_lineage and newest is not None
    )
    if lineage_moves and not edit.replaces_lineage:
        raise ToolFailure(
            _(
                "The imported state has another lineage than the one kept here: it describes other infrastructure."
            ),
            _("Request the import again and type the environment's id if replacing it is what you mean."),
        )
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
        summary=_summary(facts),
        empty=same and not lineage_moves,
        keep=lambda proposal: _keep(proposal, compared, edit, content),
    )


def read_wanted(edit: StateEdit, environment: Environment) -> tuple[State, bytes]:
    """The state that is to become the newest, checked if it came from outside. Raises ToolFailure, StateUnreadable."""
    content = wanted_content(edit) if edit.content or edit.version else _fetch(edit, environment)
    if edit.action == StateEdit.Action.IMPORT:
        accept_state(content, terraform=ours())
    return _read(content, environment), content


def _read(content: bytes, environment: Environment) -> State:
    return read_state(content, known=known_secrets.of_environment(environment))


def ours() -> str:
    """The version of Terraform on this machine; "" where there is none (a web host)."""
    try:
        return installed().version
    except TerraformMissing:
        return ""


def wanted_content(edit: StateEdit) -> bytes:
    """What was uploaded or fetched, or the version to go back to. Raises ToolFailure when it is gone."""
    if edit.version is not None:
        return bytes(edit.version.content)
    if edit.content is None:
        raise ToolFailure(_("The imported state is no longer kept."), _("Request the import again."))
    return bytes(edit.content)


def _fetch(edit: StateEdit, environment: Environment) -> bytes:
    """The object behind s3://bucket/key, read with the role of the environment's account."""
    bucket, _slash, key = edit.source.removeprefix("s3://").partition("/")
    if environment.account is None:
        raise ToolFailure(
            _("The environment has no AWS account to read %(source)s with.") % {"source": edit.source}
        )
    access = access_to(environment.account, environment.region)
    try:
        return read_object(access, bucket, key, most=settings.STATE_MAX_BYTES)
    except GatehouseError as refused:
        raise ToolFailure(
            _("%(source)s could not be read. %(why)s") % {"source": edit.source, "why": refused.message},
            refused.hint,
        ) from refused


def next_body(edit: StateEdit, content: bytes) -> bytes:
    """The wanted content as the next version: the kept lineage and the next serial.

    Into an empty environment a state comes as it is; one of another lineage keeps its own, numbered on.
    """
    newest = state.current(edit.change.environment)
    if newest is None:
        return content
    own = read_state(content)
    if edit.action == StateEdit.Action.IMPORT and own.lineage != newest.lineage:
        return renumbered(content, lineage=own.lineage, serial=max(own.serial, newest.serial + 1))
    return renumbered(content, lineage=newest.lineage, serial=newest.serial + 1)


def fingerprint(content: bytes) -> str:
    """Of what a state says, without its serial and lineage; nobody can guess the secrets in it from this."""
    return keyring().fingerprint(canonical_json(meaning(content)), context="state")


def _counts(compared: Comparison) -> dict[str, int]:
    return {ACTIONS[kind]: number for kind, number in compared.counts().items()}


def _summary(facts: Mapping[str, Any]) -> str:
    """In the words of Terraform's memory: nothing here is created or destroyed."""
    parts = [
        (facts["forgets"], _("%(n)s to forget")),
        (facts["counts"].get("update", 0), _("%(n)s to remember otherwise")),
        (facts["counts"].get("move", 0), _("%(n)s under another address")),
        (facts["recalls"], _("%(n)s to know again")),
    ]
    told = [text % {"n": number} for number, text in parts if number]
    return ", ".join(told) or counts_text({}, outputs=len(facts["outputs"]))


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
