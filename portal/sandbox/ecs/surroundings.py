"""The World as moto has it: images, faults, subnets, alarms and listener rules of one account and region."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend
from moto.elbv2.models import FakeAction, elbv2_backends

from portal.sandbox.ecs import addresses, alarms, faults, pace, secrets, seeding
from portal.sandbox.ecs.images import digest_of
from portal.sandbox.ecs.pace import Pace
from portal.sandbox.ecs.state import Revision, ServiceState
from portal.sandbox.ecs.timeline import Fate
from portal.sandbox.ecs.world import Place

_TAG = re.compile(r":[^/:]+$")
_NOT_PULLED = (
    "CannotPullContainerError: pull image manifest has been retried 7 time(s):"
    " failed to resolve ref {0}: {0}: not found"
)


class MotoWorld:
    """Everything around the services of one ECS backend."""

    def __init__(self, backend: EC2ContainerServiceBackend) -> None:
        self._backend = backend
        self._account, self._region = backend.account_id, backend.region_name

    @property
    def pace(self) -> Pace:
        """How fast things go now."""
        return pace.current()

    def fate(self, state: ServiceState, revision: Revision, *, first: bool) -> Fate:
        """Pull the images, read the secrets, and see what is switched on."""
        containers = self._backend.describe_task_definition(revision.definition).container_definitions
        switched, _ = self.switched(state)
        images: list[tuple[str, str, str]] = []
        kind = "fine"
        for container in containers:
            name, reference = str(container["name"]), str(container["image"])
            pulled = _pull(name, reference, revision, first=first)
            if pulled is None or "cannot-pull" in (pulled.fault, switched):
                return Fate("cannot-pull", _NOT_PULLED.format(reference), images, never_starts=True)
            kind = pulled.fault or kind
            images.append((name, reference, pulled.digest))
        missing = secrets.unreadable(self._account, self._region, containers)
        if missing:
            return Fate("no-secret", missing, images, never_starts=True)
        if switched in {"oom", "never-healthy", "slow-start"}:
            kind = switched
        return Fate(kind, "", images, health_check=any(row.get("healthCheck") for row in containers))

    def switched(self, state: ServiceState) -> tuple[str, float]:
        """The fault switched on at the service, and since when."""
        switch = faults.switch_of(self._backend, state.arn)
        return (switch.fault, switch.since) if switch else ("", 0.0)

    def place(self, state: ServiceState, subnets: Sequence[str]) -> Place | None:
        """The subnet with the fewest of this service's tasks that has an address left."""
        if not subnets:
            return Place()
        used = Counter(task.subnet for task in state.tasks.values())
        there = ec2_backends[self._account][self._region].subnets.values()
        known = {name: subnet for zone in there for name, subnet in zone.items()}
        for name in sorted(
            set(subnets) & set(known), key=lambda subnet: (used[subnet], subnets.index(subnet))
        ):
            address = addresses.free(known[name], state.clock)
            if address:
                return Place(name, address, known[name].availability_zone)
        return None

    def firing(self, names: Sequence[str]) -> Mapping[str, float]:
        """Those of the alarms that are in ALARM, and since when."""
        known = cloudwatch_backends[self._account][self._region].alarms
        found = [known[name] for name in names if name in known]
        return {
            alarm.name: alarm.state_updated_timestamp.replace(tzinfo=UTC).timestamp()
            for alarm in found
            if alarm.state_value == "ALARM"
        }

    def sound(self, state: ServiceState, at: float) -> list[str]:
        """Set the service's alarms to ALARM; which ones."""
        known = cloudwatch_backends[self._account][self._region].alarms
        names = alarms.of_service(state, known.values())
        reason = "Threshold Crossed: 1 datapoint was greater than the threshold (the sandbox's fault alarm-in-bake)."
        for name in names:
            known[name].update_state(reason, "{}", "ALARM")
            known[name].state_updated_timestamp = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
        return names

    def calm(self, names: Sequence[str]) -> None:
        """Set those alarms back to OK."""
        known = cloudwatch_backends[self._account][self._region].alarms
        for name in names:
            if name in known and known[name].state_value == "ALARM":
                known[name].update_state("The faulty revision serves no more.", "{}", "OK")

    def weigh(self, rule: str, weights: Mapping[str, int]) -> None:
        """Give a listener rule's target groups these weights; a rule that is gone has none to give."""
        for listener in _listeners(elbv2_backends[self._account][self._region]):
            for found in listener.rules.values():
                if found.arn == rule:
                    found.actions = [_weighted(action, weights) for action in found.actions]


class AsItWas(MotoWorld):
    """For services from before: what they run was started long ago, whatever has become of its image."""

    def fate(self, state: ServiceState, revision: Revision, *, first: bool) -> Fate:
        """The task runs."""
        containers = self._backend.describe_task_definition(revision.definition).container_definitions
        named = [(str(container["name"]), str(container["image"])) for container in containers]
        found = [(name, image, seeding.resolve(image)) for name, image in named]
        return Fate(
            images=[
                (name, image, pulled.digest if pulled else digest_of(image.encode()))
                for name, image, pulled in found
            ],
            health_check=any(row.get("healthCheck") for row in containers),
        )

    def switched(self, state: ServiceState) -> tuple[str, float]:
        """A switch is for later."""
        return "", 0.0


def _listeners(backend: Any) -> list[Any]:
    return [
        listener for balancer in backend.load_balancers.values() for listener in balancer.listeners.values()
    ]


def _weighted(action: Any, weights: Mapping[str, int]) -> Any:
    if action.type != "forward":
        return action
    groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    before = {
        key: value for key, value in action.data.items() if key not in {"TargetGroupArn", "ForwardConfig"}
    }
    stickiness = (action.data.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig")
    forward = {"TargetGroups": groups} | ({"TargetGroupStickinessConfig": stickiness} if stickiness else {})
    return FakeAction({**before, "ForwardConfig": forward})


def _pull(name: str, reference: str, revision: Revision, *, first: bool) -> seeding.Pulled | None:
    """The image, None when it is not there. A revision stays with the digest that its first task got."""
    if first and seeding.is_empty(reference):
        # Terraform makes repository and service in one run; an image can only be pushed after it.
        return seeding.Pulled(digest_of(reference.encode()))
    pinned = next((digest for known, was, digest in revision.images if (known, was) == (name, reference)), "")
    if pinned in ("", digest_of(reference.encode())):
        return seeding.resolve(reference)
    return seeding.resolve(f"{_TAG.sub('', reference.partition('@')[0])}@{pinned}")
