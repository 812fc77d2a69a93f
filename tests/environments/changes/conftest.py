"""A kind of change that builds nothing, to drive the engine with, and environments to drive it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from environments.changes import execution, kinds
from environments.changes.actions import request
from environments.changes.kinds import ChangeKind, Draft, Verdict
from environments.changes.models import Change
from environments.changes.work import Work
from environments.models import Environment, Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from portal.core.canonical import digest
from tests.cast import *  # noqa: F403
from tests.cast import by

WORKER = worker("test worker")


@dataclass
class FakeKind(ChangeKind):
    """Counts what it is asked to do; what it answers is set by the test."""

    name: ClassVar[str] = "fake"
    content: Any = "one"
    facts: dict[str, Any] = field(default_factory=dict)
    moved: str | None = None
    empty: bool = False
    authors: dict[int, str] = field(default_factory=dict)
    running: bool | None = False
    can_resume: bool = False
    on_propose: Callable[[Work], None] = lambda work: None
    on_execute: Callable[[Work], None] = lambda work: None
    on_resume: Callable[[Work], None] = lambda work: None
    on_verify: Callable[[Work], None] = lambda work: None
    verdict: Verdict = field(default_factory=lambda: Verdict(True, "as approved"))
    proposed: int = 0
    executed: int = 0
    resumed: int = 0

    def claims(self, change: Change) -> list[str]:
        return [f"fake:{change.environment.key}"]

    def propose(self, work: Work) -> Draft:
        self.proposed += 1
        self.on_propose(work)
        facts = {"kind": "fake", "mode": "apply", **self.facts}
        return Draft(
            digest(self.content), facts, {"at": self.proposed}, f"{self.content} to do", empty=self.empty
        )

    def execute(self, work: Work) -> None:
        self.executed += 1
        self.on_execute(work)

    def resume(self, work: Work) -> None:
        self.resumed += 1
        self.on_resume(work)

    def verify(self, work: Work) -> Verdict:
        self.on_verify(work)
        return self.verdict

    def base_moved(self, change: Change) -> str | None:
        moved, self.moved = self.moved, None
        return moved

    def conflicted(self, change: Change) -> Mapping[int, str]:
        return self.authors

    def still_running(self, change: Change) -> bool | None:
        return self.running

    def resumable(self, status: str) -> bool:
        return self.can_resume


@pytest.fixture
def fake() -> Iterator[FakeKind]:
    kind = FakeKind()
    kinds.register(kind)
    yield kind
    kinds._KINDS.pop("fake")


@pytest.fixture
def production(tenant: Tenant) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production"
    )


@pytest.fixture
def staging(tenant: Tenant) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging"
    )


def ask_for(environment: Environment, user: User, **options: Any) -> Change:
    """A requested change of the fake kind, as a room's action would make it."""
    from django.db import transaction

    with transaction.atomic():
        return request(by=by(user), environment=environment, kind="fake", title="Do it", **options)


def step(change: Change) -> Change:
    """One visit of a worker, as the message would cause it; the fresh row."""
    execution.advance(str(change.uuid), by=WORKER)
    return fresh(change)


def fresh(change: Change) -> Change:
    return Change.objects.for_lists().get(pk=change.pk)
