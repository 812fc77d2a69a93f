"""The static front end as a kind of change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from environments.changes.kinds import ChangeKind, Draft, Stopping, Verdict
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.changes.work import Work
from environments.deployments.front_ends import again, page, proposing, proving, putting
from environments.deployments.front_ends.actions import KIND
from portal.accounts.models import User


class FrontEndKind(ChangeKind):
    """propose = compare with the bucket, execute = put, delete and invalidate, verify = exactly the release."""

    name: ClassVar[str] = KIND
    queue: ClassVar[str] = "deployments"
    proposal_template: ClassVar[str] = "front_ends/_proposal.html"
    progress_template: ClassVar[str] = "front_ends/_progress.html"
    related: ClassVar[tuple[str, ...]] = ("front_end",)
    repeatable: ClassVar[bool] = True

    def claims(self, change: Change) -> list[str]:
        return [f"front-end:{change.front_end.bucket}"]

    def propose(self, work: Work) -> Draft:
        return proposing.propose(work)

    def execute(self, work: Work) -> None:
        putting.put_in_force(work)

    def resume(self, work: Work) -> None:
        putting.put_in_force(work)

    def verify(self, work: Work) -> Verdict:
        return proving.verify(work)

    def resumable(self, status: str) -> bool:
        return status in {Status.EXECUTING, Status.VERIFYING}

    def base_moved(self, change: Change) -> str | None:
        return proposing.moved(change)

    def repeat(self, earlier: Change, change: Change) -> None:
        again.repeat(earlier, change)

    def stopping(self, change: Change) -> Stopping:
        return page.stopping(change)

    def progress(self, change: Change) -> Mapping[str, Any]:
        return page.progress(change)

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        return page.context(change)

    def details(self, change: Change) -> Mapping[str, Any]:
        return page.details(change)

    def consequences(self, change: Change) -> Sequence[str]:
        return page.consequences(change)
