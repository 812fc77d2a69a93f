"""The ECS deployment as a kind of change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy

from environments.changes.kinds import ChangeKind, Comparison, Draft, Stopping, Verdict
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal
from environments.changes.work import Work
from environments.deployments import page
from environments.deployments.proposal import bases, comparison, proposing, repeating
from environments.deployments.proving import outcome_words, verifying
from environments.deployments.rollout import executing, stopping_words
from environments.deployments.status import checks as looks
from portal.accounts.models import User

KIND: Final = "deployment"


class DeploymentKind(ChangeKind):
    """propose = render and preflight, execute = register, update and watch, verify = prove, check and bake."""

    name: ClassVar[str] = KIND
    queue: ClassVar[str] = "deployments"
    proposal_template: ClassVar[str] = "deployments/_proposal.html"
    progress_template: ClassVar[str] = "deployments/_progress.html"
    request_url: ClassVar[str] = "deployments:request"
    failure_title: ClassVar[Any] = gettext_lazy("It could not be deployed")
    related: ClassVar[tuple[str, ...]] = ("deployment",)
    repeatable: ClassVar[bool] = True

    def claims(self, change: Change) -> list[str]:
        return [f"service:{part.service_arn}" for part in change.deployment.parts.all()]

    def takes_turn(self, change: Change) -> bool:
        # What runs is only known when nobody is deploying it.
        return True

    def propose(self, work: Work) -> Draft:
        return proposing.propose(work)

    def execute(self, work: Work) -> None:
        executing.execute(work)

    def resume(self, work: Work) -> None:
        executing.resume(work)

    def stopping(self, change: Change) -> Stopping:
        return stopping_words.words(change)

    def news(self, change: Change) -> str:
        return outcome_words.runs_now(change)

    def settle(self, work: Work) -> None:
        executing.settle(work)
        looks.look_again(work.change.environment)

    def verify(self, work: Work) -> Verdict:
        verdict = verifying.verify(work)
        looks.look_again(work.change.environment)
        return verdict

    def resumable(self, status: str) -> bool:
        return status in {Status.EXECUTING, Status.VERIFYING}

    def base_moved(self, change: Change) -> str | None:
        return bases.moved(change)

    def repeat(self, earlier: Change, change: Change) -> None:
        repeating.repeat(earlier, change)

    def compare(self, before: Proposal, after: Proposal) -> Comparison | None:
        return comparison.compare(before, after)

    def progress(self, change: Change) -> Mapping[str, Any]:
        return page.progress(change)

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        return page.context(change, user)

    def aftermath(self, change: Change, user: User) -> Mapping[str, Any]:
        return page.aftermath(change, user)

    def details(self, change: Change) -> Mapping[str, Any]:
        return page.details(change)

    def consequences(self, change: Change) -> Sequence[str]:
        return page.consequences(change)
