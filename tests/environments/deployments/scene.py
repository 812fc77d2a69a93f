"""Environments in a running sandbox, with everything that a deployment needs, made without Terraform.

    def test_it(scene: Scene, tenant: Tenant) -> None:
        place = scene.environment(tenant)                       # services "api" then "ws", production, v1 running
        place = scene.environment(tenant, services=("web",), production=False, desired=3)
        place.environment                                       # the row; place.access reaches its account
        place.client("ecs").describe_services(...)              # a person's own boto3 client, past the portal
        api = place.services["api"]                             # building.BuiltService: .name .arn .container
        api.digests["v2"], api.image("v2")                      # "sha256:..." and "<repository>@sha256:..."
        place.declare(bake_minutes=1, checks=[...])             # the blueprint's output "deployments", anew
        place.fault("api", "never-healthy")                     # a switch at the running service; "none" ends it
        scene.pace(seconds=0.2, minute=1.0)                     # how fast tasks start, how long a bake's minute is
        scene.drive(change, "awaiting_approval")                # works on a change until it has that status
        scene.approve(change, approver)                         # a vote on its proposal
        scene.drive(change)                                     # ... until it has ended

The sandbox is one for the whole session (fixture `ecs_sandbox`), so are its account and its clients. Every
environment has names of its own: no test sees what another one did. Image tags are those of
portal/sandbox/ecs/images.py: v1 (also "latest", which runs), v2, v3 (amd64 and arm64), never-healthy, oom,
cannot-pull, slow-start, alarm-in-bake and arm64-only. Autoscaling lets a service have `min(desired, 1)` to
`desired + 3` tasks.

`drive` plays the worker in this process: it calls `execution.advance` again and again, and lets a change that
rests (Later) go on at once instead of waiting for its time. It gives up after `seconds` with the change's log.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from environments.accounts import access_to
from environments.changes import actions as changes
from environments.changes import execution
from environments.changes.lifecycle import FINAL
from environments.changes.models import Change
from environments.models import AwsAccount, Environment, Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from portal.aws.sessions import AccountAccess
from tests.cast import by
from tests.environments.deployments import building, rows
from tests.environments.deployments.building import REGION, Built, BuiltService, Clients


@dataclass
class Place:
    """One environment: its row, and what stands in AWS."""

    environment: Environment
    account: AwsAccount
    built: Built
    client: Clients
    declared: dict[str, Any]

    @property
    def services(self) -> dict[str, BuiltService]:
        return self.built.services

    @property
    def access(self) -> AccountAccess:
        return access_to(self.account, REGION)

    def declare(self, **every: Any) -> None:
        """Write the output "deployments" anew; `every` replaces those parts of each service's declaration."""
        self.declared = rows.declare(self.environment, self.built, **every)

    def fault(self, key: str, fault: str) -> None:
        building.control(
            self.client.sandbox, "/sandbox/ecs/fault", service=self.services[key].arn, fault=fault
        )

    def described(self, key: str) -> dict[str, Any]:
        """What ECS says of the service now."""
        answer = self.client("ecs").describe_services(
            cluster=self.built.cluster_arn, services=[self.services[key].arn]
        )
        found: dict[str, Any] = answer["services"][0]
        return found

    def tasks(self, key: str) -> list[dict[str, Any]]:
        """The service's running tasks, as ECS describes them."""
        ecs = self.client("ecs")
        arns = ecs.list_tasks(cluster=self.built.cluster_arn, serviceName=self.services[key].name)["taskArns"]
        if not arns:
            return []
        found: list[dict[str, Any]] = ecs.describe_tasks(cluster=self.built.cluster_arn, tasks=arns)["tasks"]
        return found


@dataclass
class Scene:
    """Makes environments, and plays the worker."""

    client: Clients

    def environment(
        self,
        tenant: Tenant,
        services: Sequence[str] = ("api", "ws"),
        *,
        production: bool = True,
        desired: int = 2,
        **declared: Any,
    ) -> Place:
        """A new environment with these services, each running v1; `declared` as for `Place.declare`."""
        built = building.build(
            self.client, self.client.sandbox, self.client.account, services, desired=desired
        )
        account = AwsAccount.objects.create(
            tenant=tenant, name=built.prefix, account_id=self.client.account, kind=AwsAccount.Kind.SANDBOX
        )
        kind = "production" if production else "staging"
        environment = Environment.objects.create(
            tenant=tenant,
            slug=f"{kind}-{uuid4().hex[:6]}-x",
            name=kind,
            environment_class=kind,
            account=account,
            region=REGION,
        )
        return Place(environment, account, built, self.client, rows.write(environment, built, **declared))

    def pace(self, **asked: float) -> None:
        building.control(self.client.sandbox, "/sandbox/ecs/pace", **asked)

    def approve(self, change: Change, user: User) -> Change:
        change = fresh(change)
        assert change.proposal is not None
        return changes.approve(by=by(user), change=change, digest=change.proposal.digest)

    def drive(self, change: Change, *until: str, seconds: float = 30) -> Change:
        """Work on the change until it has one of these statuses (none: until it has ended)."""
        deadline = time.monotonic() + seconds
        while True:
            now = fresh(change)
            if now.status in (until or FINAL):
                return now
            if now.status in FINAL or time.monotonic() > deadline:
                raise AssertionError(f"{now.status} instead of {until}: {told(now)}")
            Change.objects.filter(pk=change.pk, lease_until=None).exclude(look_at=None).update(look_at=None)
            if not execution.advance(str(change.uuid), by=worker("test worker")):
                time.sleep(0.02)


def fresh(change: Change) -> Change:
    return Change.objects.for_lists().get(pk=change.pk)


def told(change: Change) -> str:
    """Why a change is where it is."""
    said = [change.error_message, change.error_hint, *(row.note for row in change.transitions.order_by("pk"))]
    return " | ".join(text for text in said if text)
