"""The execute phase of a Terraform run: apply of exactly the saved plan, once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, ToolFailure
from environments.changes.work import Work
from environments.runs import credentials, final_snapshots, inventory, state
from environments.runs.commands import Listener, run
from environments.runs.credentials import IssuedCredential
from environments.runs.models import Mode, ResourceProgress, StateLock, TerraformRun
from environments.runs.planning import initialise
from environments.runs.workspace import ARCHIVE, PLAN_FILE, Workspace, restore, workspace
from portal.core.errors import GatehouseError
from portal.terraform.events import Event, ResourceEvent
from portal.terraform.options import apply_options

logger = logging.getLogger(__name__)
UNDELIVERED = "errored.tfstate"


def execute(work: Work) -> None:
    """Restore the plan's folder and apply the plan. Raises ToolFailure, Cancelled."""
    record = work.change.terraform_run
    credential = credentials.issue(work.change, fence=work.fence, may_write=True)
    try:
        with workspace(work.change, record.definition, credential, name=f"apply-{work.fence}") as made:
            work.log.redactor.add(made.secrets)
            _restore(work, made)
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
    progress = Progress(work)
    listener = Listener(work, on_events=progress)
    try:
        code = run(work, made, "apply", PLAN_FILE, options=apply_options(), listener=listener)
    except Cancelled as stopped:
        raise Cancelled(f"{stopped.done} {progress.sentence()}") from stopped
    finally:
        _keep_undelivered(work, made.root / UNDELIVERED)
        record.progress = progress.counts()
        record.save(update_fields=["timings", "progress"])
    if code != 0:
        failure = listener.failure(_("The apply failed."))
        raise ToolFailure(f"{failure.message}\n\n{progress.sentence()}", failure.hint)


def _keep_undelivered(work: Work, path: Path) -> None:
    """A state that Terraform could not deliver is stored before anything else is let go of."""
    if not path.exists():
        return
    environment = work.change.environment
    held = StateLock.objects.filter(environment=environment, change=work.change).first()
    writer = state.Writer(work.change.title, work.change, held.fence if held else work.fence)
    if held is None:
        state.lock(environment, {"ID": f"undelivered-{work.change.uuid}"}, writer=writer, by=work.by)
        held = StateLock.objects.get(environment=environment)
    version = state.write(environment, path.read_bytes(), lock_id=held.lock_id, writer=writer, by=work.by)
    state.unlock(environment, lock_id=held.lock_id, writer=writer, by=work.by)
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


class Progress:
    """Terraform's events as rows: one a resource and action."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, ResourceEvent) and event.type.startswith("apply_"):
                self._note(event)

    def _note(self, event: ResourceEvent) -> None:
        if event.type == "apply_progress":
            return
        fields: dict[str, object] = {"type": event.resource_type}
        if event.id_value:
            fields["resource_id"] = self._work.log.redactor.redact(event.id_value)[:1024]
        if event.type == "apply_complete":
            fields |= {"state": ResourceProgress.State.DONE, "ended_at": timezone.now()}
        elif event.type == "apply_errored":
            fields |= {"state": ResourceProgress.State.FAILED, "ended_at": timezone.now()}
        ResourceProgress.objects.update_or_create(
            change=self._work.change, address=event.address, action=event.action, defaults=fields
        )

    def counts(self) -> dict[str, int]:
        rows = list(self._work.change.progress.exclude(action="read").values_list("state", flat=True))
        return {name: rows.count(name) for name in ResourceProgress.State.values}

    def sentence(self) -> str:
        """What was and what was not done, for a change that stopped midway."""
        counts = self.counts()
        proposal = self._work.change.proposal
        planned = proposal.resource_changes.exclude(action__in=["read", "move"]) if proposal else None
        wanted = planned.count() if planned is not None else 0
        return _("Done: %(done)s, failed: %(failed)s, stopped midway: %(open)s, not begun: %(rest)s.") % {
            "done": counts["done"],
            "failed": counts["failed"],
            "open": counts["running"],
            "rest": max(wanted - sum(counts.values()), 0),
        }


def settle(work: Work) -> None:
    """After an apply that did not come through: what is there now becomes the inventory."""
    try:
        inventory.refresh(work.change.environment)
    except GatehouseError as unreadable:
        work.say(_("The inventory could not be read: %(why)s") % {"why": unreadable.message})
