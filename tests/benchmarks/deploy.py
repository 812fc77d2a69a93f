"""script/bench deploy: what deployments cost of AWS's request limits, under a virtual clock.

1. Calls of one deployment followed for ten minutes, against a loop that asks for the service, its tasks and its
   target group every 15 seconds. Fails (exit 1) above half of them.
2. Fifty deployments at once by two workers against ECS's documented request limits. Fails when one is throttled.

The portal's own code does it all, from the first step of execute to the proof; AWS and time are played.
"""

from __future__ import annotations

import heapq
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.benchmarks.deploy_aws import Clock, Rollout, Service, VirtualAws

if TYPE_CHECKING:
    from environments.changes.models import Change

TEN_MINUTES, LOOP = 600.0, 15.0
AT_ONCE, WORKERS = 50, 2
MOST = 0.5


class VirtualWork:
    """A worker's visit without an engine around it: nobody else is there, nobody reads the log."""

    def __init__(self, change: Change) -> None:
        from portal.core.redaction import Redactor

        self.change, self.lease, self.log = change, self, self
        self.redactor, self.said = Redactor([]), list[str]()

    def hold(self) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)

    def fenced(self) -> Any:
        return nullcontext()

    def wishes(self) -> tuple[bool, bool]:
        return False, False


@dataclass
class Followed:
    """What one deployment, or many, cost."""

    calls: int
    loop_calls: int
    throttled: int
    failed: int
    seconds: float
    worst_lag: float = 0.0

    @property
    def ratio(self) -> float:
        return self.calls / self.loop_calls


@contextmanager
def played(aws: VirtualAws) -> Iterator[None]:
    """AWS's answers and the time come from `aws` inside the block."""
    with ExitStack() as stack:
        for module in ("ecs", "target_groups", "logs", "autoscaling"):
            stack.enter_context(patch(f"portal.aws.{module}.call", aws.call))
        stack.enter_context(patch("portal.aws.ecs.pages", aws.pages))
        stack.enter_context(patch("django.utils.timezone.now", aws.clock.now))
        yield


def requested(aws: VirtualAws, service: Service) -> Change:
    """The rows of an approved deployment of a new image on this service; its family has had three revisions."""
    from environments.changes.models import Change, Proposal
    from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
    from environments.models import AwsAccount, Environment, Tenant

    tenant, _new = Tenant.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    account, _new = AwsAccount.objects.get_or_create(tenant=tenant, name="bench", account_id="1" * 12)
    place, _new = Environment.objects.get_or_create(
        tenant=tenant, slug="bench", environment_class="staging", account=account, region="eu-west-1"
    )
    change = Change.objects.create(environment=place, kind="deployment", status="executing")
    proposal = Proposal.objects.create(change=change, number=1, digest="0", facts={}, base={}, summary="")
    Change.objects.filter(pk=change.pk).update(proposal=proposal)
    part = DeploymentPart.objects.create(
        deployment=Deployment.objects.create(change=change),
        position=0,
        service_arn=service.arn,
        service=service.name,
        cluster_arn="arn:aws:ecs:x:1:cluster/c",
        container="app",
    )
    rendered = {"family": service.name, "containerDefinitions": [{"name": "app", "image": "r@sha256:new"}]}
    ServiceProposal.objects.create(
        proposal=proposal, part=part, position=0, digest="sha256:new", rendered=rendered
    )
    for revision in (1, 2, 3):
        arn = f"arn:aws:ecs:x:1:task-definition/{service.name}:{revision}"
        aws.definitions[arn] = {"family": service.name, "containerDefinitions": [{"name": str(revision)}]}
    aws.services[service.name] = service
    return Change.objects.for_lists().get(pk=change.pk)


def drive(aws: VirtualAws, changes: list[Change], *, until: float, workers: int) -> Followed:
    """Visit each change when it is due, by so many workers, until all are done or the time is over."""
    from environments.changes.kinds import Later, ToolFailure
    from environments.deployments.rollout import executing

    due = [(0.0, number) for number in range(len(changes))]
    free = [0.0] * workers
    failed, ended, worst = 0, 0.0, 0.0
    with played(aws):
        while due and due[0][0] < until:
            at, number = heapq.heappop(due)
            worker = min(range(workers), key=free.__getitem__)
            worst = max(worst, free[worker] - at)
            aws.clock.seconds, aws.worker = max(at, free[worker]), worker
            try:
                executing.resume(VirtualWork(changes[number]))  # type: ignore[arg-type]
                ended = max(ended, aws.clock.seconds)
            except Later as later:
                heapq.heappush(due, (aws.clock.seconds + later.seconds, number))
            except ToolFailure:
                failed += 1
            free[worker] = aws.clock.seconds
    rounds = int(until / LOOP)
    per_round = sum(2 + 2 * max(1, -(-one.desired // 100)) for one in aws.services.values())
    calls, throttled = aws.made.total(), aws.throttled.total()
    return Followed(calls, rounds * per_round, throttled, failed, ended, worst)


def ten_minutes(rollout: Rollout, desired: int) -> Followed:
    """One deployment that goes on for longer than ten minutes."""
    aws = VirtualAws(Clock())
    change = requested(aws, Service("only", desired, rollout))
    return drive(aws, [change], until=TEN_MINUTES, workers=1)


SCENES = {
    "2 tasks, nothing moves": (Rollout(lambda seconds: 0), 2),
    "8 tasks, one more every 70 s": (Rollout(lambda seconds: int(seconds / 70), least=900), 8),
    "100 tasks, one more every 7 s": (Rollout(lambda seconds: int(seconds / 7)), 100),
    "240 tasks, always on the move": (Rollout(lambda seconds: int(seconds / 3)), 240),
    "4 tasks that crash every 20 s": (Rollout(lambda seconds: 0, lambda seconds: int(seconds / 20)), 4),
}


def at_once(*, takes: float = 120.0, until: float = 3600.0) -> Followed:
    """Fifty deployments that begin in the same second; each rollout takes two minutes."""
    aws = VirtualAws(Clock())
    rollout = Rollout(lambda seconds: int(4 * seconds / takes))
    changes = [requested(aws, Service(f"service-{number}", 4, rollout)) for number in range(AT_ONCE)]
    return drive(aws, changes, until=until, workers=WORKERS)


def main() -> int:
    well = True
    for name, (rollout, desired) in SCENES.items():
        found = ten_minutes(rollout, desired)
        well &= found.ratio <= MOST and not found.throttled
        print(
            f"ten minutes, {name:<32} {found.calls:>4} calls, the 15 s loop {found.loop_calls:>4}: "
            f"{found.ratio:.2f}"
        )
    many = at_once()
    well &= not many.throttled and not many.failed
    print(
        f"{AT_ONCE} deployments at once, {WORKERS} workers: the last is proven after {many.seconds:.0f} virtual seconds; "
        f"{many.calls} calls, {many.throttled} throttled, {many.failed} failed, "
        f"a visit waited {many.worst_lag:.0f} s at most"
    )
    return 0 if well else 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "GATEHOUSE_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": "sqlite://:memory:",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        sys.exit(main())
