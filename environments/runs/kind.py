"""The Terraform run as a kind of change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from environments.changes.kinds import ChangeKind, Comparison, Draft, Obstacle, Verdict
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal
from environments.changes.work import Work
from environments.runs import (
    applying,
    authors,
    bases,
    comparison,
    inventory,
    planning,
    proposal_page,
    repeating,
)
from environments.runs.leftovers import aftermath, aftermath_page, blocking, rows
from environments.runs.live import checks
from environments.runs.models import Mode
from environments.runs.states import locks, store
from portal.accounts.models import User
from portal.terraform.effects import EFFECTS

LATER = ("waits_for_deployment", "waits_for_maintenance_window", "waits_for_reboot")


class TerraformRunKind(ChangeKind):
    """propose = init + plan, execute = apply of the saved plan, verify = the state that came out."""

    name: ClassVar[str] = planning.KIND
    proposal_template: ClassVar[str] = "runs/_proposal.html"
    progress_template: ClassVar[str] = "runs/_progress.html"
    request_url: ClassVar[str] = "runs:request"
    related: ClassVar[tuple[str, ...]] = ("terraform_run",)
    repeatable: ClassVar[bool] = True

    def claims(self, change: Change) -> list[str]:
        if change.terraform_run.mode == Mode.PLAN:
            return []
        return [f"state:{change.environment.key}"]

    def takes_turn(self, change: Change) -> bool:
        return bool(change.terraform_run.mode != Mode.PLAN)

    def propose(self, work: Work) -> Draft:
        return planning.propose(work)

    def execute(self, work: Work) -> None:
        applying.execute(work)

    def verify(self, work: Work) -> Verdict:
        count = inventory.refresh(work.change.environment)
        checks.look_again(work.change.environment)
        proposal = work.change.proposal
        effects = proposal.facts.get("effects", {}) if proposal else {}
        later = [EFFECTS[name] for name in LATER if name in effects]
        summary = _("Applied: %(what)s. The state holds %(count)s resources.") % {
            "what": work.change.summary,
            "count": count,
        }
        if work.wishes()[0]:
            later = [*later, _("Cancelling came too late: everything had been applied.")]
        rows.note_imported(work.change)
        return Verdict(ok=True, summary=" ".join([summary, *map(_, later)]))

    def settle(self, work: Work) -> None:
        applying.settle(work)

    def base_moved(self, change: Change) -> str | None:
        return bases.moved(change)

    def repeat(self, earlier: Change, change: Change) -> None:
        repeating.repeat(earlier, change)

    def no_more_than(self, proposal: Proposal, earlier: Proposal) -> list[str]:
        return repeating.no_more_than(proposal, earlier)

    def compare(self, before: Proposal, after: Proposal) -> Comparison | None:
        return comparison.compare(before, after)

    def resumable(self, status: str) -> bool:
        return status == Status.VERIFYING

    def still_running(self, change: Change) -> bool | None:
        return False if aftermath.is_silent(change) else store.tool_alive(change)

    def troubled(self) -> frozenset[int]:
        return blocking.troubled() | locks.locked()

    def obstacle(self, change: Change) -> Obstacle | None:
        found = blocking.blocker(change.environment, change.terraform_run.mode, apart_from=change)
        return Obstacle(found.text, found.change) if found else locks.obstacle(change)

    def after_end(self, change: Change) -> None:
        aftermath.close_books(change)

    def unfinished(self, change: Change) -> bool:
        return change.is_final and bool(change.terraform_run.unreckoned)

    def after_death(self, change: Change) -> str:
        return f"{aftermath_page.where(change.terraform_run)} {aftermath_page.last_write(change)}"

    def conflicted(self, change: Change) -> Mapping[int, str]:
        return authors.authors(change)

    def conflicted_among(self, changes: Sequence[Change], user: User) -> set[int]:
        return authors.written_by(changes, user)

    def progress(self, change: Change) -> Mapping[str, Any]:
        return proposal_page.progress(change)

    def aftermath(self, change: Change, user: User) -> Mapping[str, Any]:
        return aftermath_page.told(change, user)

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        return proposal_page.context(change, user)

    def details(self, change: Change) -> Mapping[str, Any]:
        run = change.terraform_run
        return {
            "mode": run.mode,
            "definition": run.definition.number,
            "targets": run.targets,
            "replace": run.replace,
            "terraform_version": run.terraform_version,
            "timings": run.timings,
            "progress": run.progress,
            "final_snapshots": run.final_snapshots,
        }

    def consequences(self, change: Change) -> Sequence[str]:
        proposal = change.proposal
        if proposal is None:
            return []
        effects = proposal.facts.get("effects", {})
        return [_(text) for name, text in EFFECTS.items() if name in effects]
