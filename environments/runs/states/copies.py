"""Which state versions are to have a copy in their account's bucket, and under which key."""

from __future__ import annotations

from environments.models import Environment
from environments.runs.models import StateCopy, StateVersion

PREFIX = "gatehouse"


def folder_of(environment: Environment) -> str:
    """The common beginning of the keys of an environment's copies."""
    return f"{PREFIX}/{environment.tenant.slug}/{environment.slug}/"


def key_of(environment: Environment, version: StateVersion) -> str:
    """Names sort like versions. The content's MD5 keeps apart two versions of one number: after a restore the
    portal counts on from the backup, and must not write over what it no longer knows."""
    name = f"{version.number:06d}-{version.serial:08d}-{version.md5[:8]}.tfstate"
    return folder_of(environment) + name


def note(version: StateVersion) -> None:
    """Promise a copy of this version, if its account has a bucket for them. In the version's own transaction."""
    environment = version.environment
    bucket = environment.account.state_bucket if environment.account else ""
    if bucket:
        StateCopy.objects.create(version=version, bucket=bucket, key=key_of(environment, version))
