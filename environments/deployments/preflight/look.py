"""What preflights read from AWS: each thing once, whoever of the services asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from environments.deployments.preflight.target import Target
from portal.aws import alarms, ecr, ecr_listing, ecr_policies, listener_rules, logs, rights, secrets, subnets
from portal.aws.alarms import AlarmState
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.secrets import Reference, Secret
from portal.aws.sessions import AccountAccess

T = TypeVar("T")


@dataclass
class Look:
    """Reads of one preflight; an AwsError is kept as well, and raised to everybody who asks.

    `targets` are all services of the deployment, so that one call can ask for all of them.
    """

    access: AccountAccess
    targets: Sequence[Target] = ()
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def _once(self, key: tuple[Any, ...], read: Callable[[], T]) -> T:
        if key not in self.kept:
            try:
                self.kept[key] = read()
            except AwsError as error:
                self.kept[key] = error
        found = self.kept[key]
        if isinstance(found, AwsError):
            raise found
        return cast(T, found)

    def image(self, repository: str, digest: str) -> Image:
        return self._once(("image", repository, digest), lambda: ecr.find(self.access, repository, digest))

    def holds(self, repository: str, digest: str) -> bool:
        return self._once(
            ("holds", repository, digest), lambda: ecr_listing.holds(self.access, repository, digest)
        )

    def condemned(self, repository: str, digests: Iterable[str]) -> dict[str, str]:
        wanted = _key(digests)
        return self._once(
            ("lifecycle", repository, wanted),
            lambda: ecr.lifecycle_condemned(self.access, repository, wanted),
        )

    def repository_has_policy(self, repository: str) -> bool:
        return self._once(
            ("repository policy", repository), lambda: ecr_policies.has_policy(self.access, repository)
        )

    def trusted_services(self, role: str) -> set[str] | None:
        return self._once(("trust", role), lambda: rights.trusted_services(self.access, role))

    def decisions(
        self, role: str, actions: Sequence[str], resources: Iterable[str]
    ) -> dict[tuple[str, str], str]:
        wanted = _key(resources)
        return self._once(
            ("rights", role, tuple(actions), wanted),
            lambda: rights.decisions(self.access, role, actions, wanted),
        )

    def secret(self, wanted: Reference) -> Secret | None:
        return self._once(("secret", wanted.id), lambda: secrets.secret(self.access, wanted))

    def secret_has_policy(self, wanted: Reference) -> bool:
        return self._once(("secret policy", wanted.id), lambda: secrets.has_policy(self.access, wanted))

    def parameters(self, wanted: Iterable[Reference]) -> dict[str, int]:
        asked = tuple(sorted(set(wanted), key=lambda one: one.id))
        return self._once(("parameters", asked), lambda: secrets.parameters(self.access, asked))

    def log_group(self, name: str, region: str) -> bool:
        there = replace(self.access, region=region or self.access.region)
        return self._once(("log group", name, there.region), lambda: logs.group_exists(there, name))

    def free_addresses(self, ids: Iterable[str]) -> dict[str, int]:
        wanted = _key(ids)
        return self._once(("subnets", wanted), lambda: subnets.free_addresses(self.access, wanted))

    def alarms(self, names: Iterable[str]) -> dict[str, AlarmState]:
        wanted = _key(names)
        return self._once(("alarms", wanted), lambda: alarms.states(self.access, wanted))

    def listener_rules(self, arns: Iterable[str]) -> dict[str, set[str]]:
        wanted = _key(arns)
        return self._once(("rules", wanted), lambda: listener_rules.rules(self.access, wanted))

    def target_groups(self, arns: Iterable[str]) -> set[str]:
        wanted = _key(arns)
        return self._once(("groups", wanted), lambda: listener_rules.target_groups(self.access, wanted))


def _key(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
