"""Kinds with claims as the real ones have: an apply holds an environment's state, a deployment a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import transaction

from environments.changes import kinds
from environments.changes.actions import request
from environments.changes.models import Change
from environments.models import Environment, Tenant
from portal.accounts.models import User
from tests.cast import by
from tests.environments.changes.conftest import FakeKind


@dataclass
class Apply(FakeKind):
    name: ClassVar[str] = "apply"

    def claims(self, change: Change) -> list[str]:
        return [f"state:{change.environment.key}"]


@dataclass
class Deploy(FakeKind):
    """Of the service that the reason names."""

    name: ClassVar[str] = "deploy"

    def claims(self, change: Change) -> list[str]:
        return [f"service:{change.environment.key}/{change.reason}"]


@dataclass
class Restore(FakeKind):
    """Touches the state and one service at once."""

    name: ClassVar[str] = "restore"

    def claims(self, change: Change) -> list[str]:
        return [f"state:{change.environment.key}", f"service:{change.environment.key}/{change.reason}"]


@contextmanager
def registered(*made: FakeKind) -> Iterator[None]:
    for kind in made:
        kinds.register(kind)
    try:
        yield
    finally:
        for kind in made:
            kinds._KINDS.pop(kind.name)


def ask(environment: Environment, user: User, kind: str = "apply", **options: Any) -> Change:
    with transaction.atomic():
        return request(by=by(user), environment=environment, kind=kind, title=f"{kind} it", **options)


def places(tenant: Tenant, count: int) -> list[Environment]:
    return [
        Environment.objects.create(tenant=tenant, slug=f"e{n}", name=f"e{n}", environment_class="staging")
        for n in range(count)
    ]
