"""A tenant whose every word is marked, its cast, and clients of each; each request is rolled back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client

from environments.blueprints.snapshots import current_snapshot
from environments.changes.models import ApprovalPolicy, Change, Comment
from environments.models import AwsAccount, Definition, Environment, Resource, Role, Tenant
from portal.accounts.actions import create_token
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from tests.cast import by, member
from tests.environments.runs.crafted import planned, row

# Stands in everything that belongs to the tenant and in nothing that a request sends.
MARK: Final = "zq7markedword"
ROLES: Final = (*Role.values, "outsider")


@dataclass
class Scene:
    """What there is to ask for; `real` are the values a caller who knows the place would put in an address."""

    people: dict[str, User]
    tokens: dict[str, str]
    real: dict[str, list[str]]
    environment: Environment
    change: Change


@contextmanager
def undone(client: Client | None = None) -> Iterator[None]:
    """What happens inside is rolled back, the client's cookies too (it may have signed out).

    Code that insists on the outermost transaction is let through.
    """
    cookies = copy.deepcopy(client.cookies) if client else None
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)
    if client and cookies is not None:
        client.cookies = cookies


def _place(operator: User) -> tuple[Environment, Change]:
    tenant = Tenant.objects.get(slug="triflow")
    account = AwsAccount.objects.create(tenant=tenant, name=f"{MARK} account", account_id="111111111111")
    environment = Environment.objects.create(
        tenant=tenant,
        slug="production",
        name=f"{MARK} production",
        environment_class="production",
        account=account,
        region="ap-northeast-2",
        blueprint="object-store",
    )
    ApprovalPolicy.objects.create(
        environment=environment,
        number=1,
        gates=[{"name": MARK, "roles": ["approver"], "votes": 2, "when": {"always": True}}],
        author=MARK,
    )
    Definition.objects.create(
        environment=environment,
        number=1,
        blueprint="object-store",
        snapshot=current_snapshot("object-store").digest,
        note=MARK,
        author=operator,
    )
    change = planned(environment, operator, [row(f"terraform_data.{MARK}", "create", input=MARK)])
    Change.objects.filter(pk=change.pk).update(title=f"{MARK} run")
    Comment.objects.create(change=change, user=operator, text=MARK)
    Resource.objects.create(
        environment=environment,
        address="aws_ecs_service.api",
        type="aws_ecs_service",
        name="api",
        provider_id=f"arn:aws:ecs:ap-northeast-2:111111111111:service/{MARK}/api",
        attributes={"cluster": f"arn:aws:ecs:ap-northeast-2:111111111111:cluster/{MARK}", "name": "api"},
    )
    return environment, change


@pytest.fixture
def scene(db: None) -> Scene:
    tenant = Tenant.objects.create(slug="triflow", name=f"{MARK} tenant")
    other = Tenant.objects.create(slug="onno", name="Onno")
    people = {role: member(role, tenant, role, display_name=f"{MARK} {role}") for role in Role.values}
    people["outsider"] = member("outsider", other, *Role.values)
    environment, change = _place(people["operator"])
    event = AuditEvent.objects.filter(tenant_id="triflow").latest("pk")
    tokens = {role: create_token(by=by(user), name="fuzz")[1] for role, user in people.items()}
    real = {
        "environment": [environment.key],
        "uuid": [str(change.uuid), str(event.uuid)],
        "number": ["1"],
        "slug": ["triflow", "steps", "production", "web-service"],
        "tenant": ["triflow"],
        "blueprint": ["object-store", "web-service"],
        "account": [str(environment.account_id)],
        "mode": ["apply", "destroy", "plan"],
        "service": ["api"],
        "image": ["v2"],
        "role": ["viewer"],
        "user": ["operator"],
        "username": ["operator", "outsider"],
        "id": [str(environment.account_id), str(people["viewer"].memberships.get().pk)],
        "pk": ["1"],
        "act": ["approve", "reject", "cancel", "kill", "start"],
        "digest": [change.proposal.digest if change.proposal else ""],
    }
    return Scene(people, tokens, real, environment, change)


@pytest.fixture
def clients(scene: Scene) -> dict[str, Client]:
    """A signed-in browser of each role; a fault of the portal comes back as 500 instead of being raised."""
    made: dict[str, Any] = {}
    for role, user in scene.people.items():
        made[role] = Client(raise_request_exception=False)
        made[role].force_login(user)
    return made
