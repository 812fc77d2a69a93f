"""Rolling a state back, or importing one, as a kind of change: it alters what Terraform remembers, nothing in AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from environments.changes.kinds import ChangeKind, Draft, Obstacle, ToolFailure, Verdict
from environments.changes.leases import LeaseLost
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.changes.work import Work
from environments.runs import inventory
from environments.runs.models import StateEdit
from environments.runs.states import edit_page, edit_plan, edit_sources, locks
from environments.runs.states import store as state
from environments.runs.states.store import Writer
from portal.accounts.models import User
from portal.core.errors import Conflict, GatehouseError

KIND = "state_edit"


class StateEditKind(ChangeKind):
    """propose = what Terraform would forget and know again, execute = one new state version, verify = it is the newest."""

    name: ClassVar[str] = KIND
    proposal_template: ClassVar[str] = "runs/_state_edit_proposal.html"

    def claims(self, change: Change) -> list[str]:
        return [state.subject_of(change.environment)]

    def troubled(self) -> frozenset[int]:
        return locks.locked()

    def obstacle(self, change: Change) -> Obstacle | None:
        return locks.obstacle(change)

    def propose(self, work: Work) -> Draft:
        return edit_plan.propose(work)

    def base_moved(self, change: Change) -> str | None:
        proposal = change.proposal
        if proposal is None:
            return _("There is no proposal.")
        if proposal.base != state.position(change.environment):
            return _("The state has moved since this was proposed; it is compared anew.")
        return None

    def execute(self, work: Work) -> None:
        """Lock, write the next version, unlock: one transaction, so that nothing can stop between them."""
        change = work.change
        edit = change.state_edit
        assert change.proposal is not None
        try:
            with transaction.atomic():
                owned = Change.objects.select_for_update(of=("self",)).filter(
                    pk=change.pk, fence=work.fence, status=Status.EXECUTING
                )
                if not owned.exists():
                    raise LeaseLost
                number = _write(work, edit)
        except GatehouseError as refused:
            raise ToolFailure(
                _("Nothing was changed: %(why)s") % {"why": refused.message}, refused.hint
            ) from refused
        work.say(_("State version %(n)s is written. Nothing in AWS was touched.") % {"n": number})

    def verify(self, work: Work) -> Verdict:
        environment = work.change.environment
        made = work.change.state_versions.order_by("-number").first()
        newest = state.current(environment)
        if made is None or newest is None:
            return Verdict(ok=False, summary=_("The new state version is not there."))
        count = inventory.refresh(environment)
        if newest.pk != made.pk and newest.number > made.number:
            text = _("State version %(n)s was written; version %(newer)s came after it.")
            return Verdict(ok=True, summary=text % {"n": made.number, "newer": newest.number})
        assert work.change.proposal is not None
        ok = edit_sources.fingerprint(newest.content) == work.change.proposal.facts["content"]
        text = _(
            "State version %(n)s is the newest; it holds %(count)s resources. Nothing in AWS was touched."
        )
        return Verdict(ok=ok, summary=text % {"n": made.number, "count": count})

    def resumable(self, status: str) -> bool:
        return status == Status.VERIFYING

    def after_death(self, change: Change) -> str:
        made = change.state_versions.order_by("-number").first()
        if made is None:
            return _("The state was not changed.")
        return _("State version %(n)s had been written, completely.") % {"n": made.number}

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        return edit_page.page(change, user)

    def details(self, change: Change) -> Mapping[str, Any]:
        edit = change.state_edit
        proposal = change.proposal
        return {
            "action": edit.action,
            "version": edit.version.number if edit.version else None,
            "source": edit.source,
            "forgets": proposal.facts.get("forgets", 0) if proposal else None,
            "recalls": proposal.facts.get("recalls", 0) if proposal else None,
        }

    def consequences(self, change: Change) -> Sequence[str]:
        return edit_page.consequences(change.proposal) if change.proposal else []


def _write(work: Work, edit: StateEdit) -> int:
    """The next version, exactly as approved; inside the caller's transaction."""
    change = work.change
    environment = change.environment
    writer = Writer(change.title, change, work.fence)
    lock_id = f"edit-{change.uuid}"[: state.LONGEST_ID]
    state.lock(environment, {"ID": lock_id, "Operation": "StateEdit"}, writer=writer, by=work.by)
    assert change.proposal is not None
    if state.position(environment) != change.proposal.base:
        raise Conflict(_("the state has moved since this was approved."), hint=_("Request it again."))
    content = edit_sources.wanted_content(edit)
    if edit_sources.fingerprint(content) != change.proposal.facts["content"]:
        raise Conflict(_("what would be written is not what was approved."), hint=_("Request it again."))
    body = edit_sources.next_body(edit, content)
    version = state.write(
        environment, body, lock_id=lock_id, writer=writer, by=work.by, other_lineage=edit.replaces_lineage
    )
    state.unlock(environment, lock_id=lock_id, writer=writer, by=work.by)
    StateEdit.objects.filter(pk=edit.pk).update(content=None)
    return version.number
