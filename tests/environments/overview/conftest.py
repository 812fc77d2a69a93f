"""A fleet in every state, and a kind of change that builds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from environments.changes import kinds
from environments.changes.kinds import ChangeKind, Draft, Verdict
from environments.changes.models import Change, Proposal
from environments.changes.work import Work
from environments.models import Environment, Tenant
from portal.accounts.models import User

Fleet = Callable[..., Environment]
Ask = Callable[..., Change]


class QuietKind(ChangeKind):
    """Changes of this kind are only looked at."""

    name = "quiet"

    def propose(self, work: Work) -> Draft:
        raise NotImplementedError

    def execute(self, work: Work) -> None:
        raise NotImplementedError

    def verify(self, work: Work) -> Verdict:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    kinds.register(QuietKind())
    yield
    kinds._KINDS.pop("quiet")


@pytest.fixture
def environment(tenant: Tenant) -> Fleet:
    """`environment("live", tenant=..., blueprint=...)`: one more of the fleet."""

    def make(slug: str, **values: Any) -> Environment:
        values = {"tenant": tenant, "blueprint": "web-service", "name": slug, **values}
        return Environment.objects.create(slug=slug, **values)

    return make


@pytest.fixture
def ask() -> Ask:
    """A change in a given status, with a proposal that production's gate asks about."""

    def make(where: Environment, user: User, status: str, **values: Any) -> Change:
        change = Change.objects.create(
            environment=where,
            kind="quiet",
            title=f"Change {where.name}",
            status=status,
            requested_by=user,
            requested_by_name=str(user),
            finished_at=timezone.now() if status in ("failed", "succeeded") else None,
            due_at=None,
            **values,
        )
        facts = {"kind": "quiet", "mode": "apply"}
        change.proposal = Proposal.objects.create(change=change, number=1, digest="d" * 64, facts=facts)
        change.save(update_fields=["proposal"])
        return change

    return make
