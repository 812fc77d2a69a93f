"""The execute phase of a Terraform run: apply of exactly the saved plan, once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, ToolFailure
from environments.changes.patience import patiently
from environments.changes.work import Work
from environments.runs import credentials, final_snapshots, inventory, known_secrets, progress
from environments.runs.commands import Listener, run
from environments.runs.credentials import IssuedCredential
from environments.runs.leftovers import reckoning, rows
from environments.runs.models import Mode, StateLock, TerraformRun
from environments.runs.planning import initialise
from environments.runs.progress import Progress
from environments.runs.states import undelivered
from environments.runs.workspace import ARCHIVE, PLAN_FILE, Workspace, restore, workspace
from portal.core.errors import GatehouseError
from portal.terraform.events import Event
from portal.terraform.options import apply_options

logger = logging.getLogger(__name__)


def execute(work: Work) -> None:
    """Restore the plan's folder and apply the plan. Raises ToolFailure, Cancelled."""
    record = work.change.terraform_run
    credential = credentials.issue(work.change, fence=work.fence, may_write=True)
    try:
        with workspace(work.change, record.definition, credential, name=f"apply-{work.fence}") as made:
            work.log.redactor.add(made.secrets)
            _restore(work, made)
            work.log.redactor.add(made.secrets)
            initialise(work, made, record.definition)
            if record.mode == Mode.DESTROY:
                final_snapshots.take(work, record)
            _apply(work, made, record, credential)
    finally:
        _let_go(work)


def _restore(work: Work, made: Workspace) -> None:
    """The folder that was approved, and proof that its plan is the one."""
    proposal = work.change.proposal
    assert proposal is not None
    artefact = proposal.artefacts.filter(name=ARCHIVE).first()
    if artefact is None:
        raise ToolFailure(_("The saved plan is gone."), _("Request the run again."))
    restore(made, artefact)
    found = hashlib.sha256(made.plan_file.read_bytes()).hexdigest()
    if found != proposal.base["plan_sha256"]:
        raise ToolFailure(
            _("The saved plan is not the one that was approved; nothing was applied."),
            _("Request the run again, and tell the portal's keepers."),
        )


def _apply(work: Work, made: Workspace, record: TerraformRun, credential: IssuedCredential) -> None:
    learner = known_secrets.Learner(work.change.environment, work.log.redactor)
    listener = Listener(work, on_events=_noted(work), before=learner)
    work.lease.hold()
    with work.fenced():
        reckoning.let_loose(record, loose=True)
    try:
        code = run(work, made, "apply", PLAN_FILE, options=apply_options(), listener=listener)
    except Cancelled as stopped:
        raise Cancelled(f"{stopped.done} {progress.sentence(work.change)}") from stopped
    except ToolFailure as failure:
        raise ToolFailure(f"{failure.message}\n\n{progress.sentence(work.change)}", failure.hint) from failure
    finally:
        # A database that went away while Terraform ran: what follows has to be written.
        patiently(work.lease.renew)
        _keep_undelivered(work, made.root / undelivered.UNDELIVERED)
        learner.learn()
        if learner.learned:
            known_secrets.scrub(work.change, work.log.redactor)
        record.progress = progress.counts(work.change)
        with work.fenced():
            record.save(update_fields=["timings", "progress"])
    if code != 0:
        said = listener.failure(_("The apply failed."))
        raise ToolFailure(f"{said.message}\n\n{progress.sentence(work.change)}", said.hint)
    # Exit code 0: its state is delivered, and holds all that was made.
    with work.fenced():
        reckoning.let_loose(record, loose=False)


def _noted(work: Work) -> Callable[[Sequence[Event]], None]:
    """Terraform's events into the progress, as long as this worker owns the change."""
    progress = Progress(work.change, work.log.redactor)

    def note(events: Sequence[Event]) -> None:
        with work.fenced():
            progress(events)

    return note


def _keep_undelivered(work: Work, path: Path) -> None:
    try:
        version = patiently(lambda: undelivered.keep(work.change, path, fence=work.fence, by=work.by))
    except GatehouseError as refused:
        undelivered.put_aside(work.change, path, why=refused.message)
        work.say(
            _("Terraform could not deliver its last state, and it was refused: %(why)s It is kept apart.")
            % {"why": refused.message}
        )
        return
    if version is not None:
        work.say(
            _("Terraform could not deliver its last state; it was stored as version %(n)s.")
            % {"n": version.number}
        )


def _let_go(work: Work) -> None:
    """End the credentials unless Terraform may still need them: then UNLOCK or proof of its death does."""
    if work.lease.lost.is_set():
        return
    if not StateLock.objects.filter(environment=work.change.environment, change=work.change).exists():
        credentials.revoke(work.change, fence=work.fence)


def settle(work: Work) -> None:
    """After an apply that did not come through: what is there now becomes the inventory, what is nowhere a leftover."""
    for row in reckoning.reckon(work.change, by=work.by):
        work.say(_("Not in the state: %(address)s %(id)s") % {"address": row.address, "id": row.resource_id})
    rows.note_imported(work.change)
    try:
        inventory.refresh(work.change.environment)
    except GatehouseError as unreadable:
        work.say(_("The inventory could not be read: %(why)s") % {"why": unreadable.message})
