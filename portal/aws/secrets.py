"""Secrets Manager and Parameter Store: what there is, never a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages

MISSING: Final = "ResourceNotFoundException"
CURRENT: Final = "AWSCURRENT"
NAMES_PER_CALL: Final = 50  # values of one filter of DescribeParameters


@dataclass(frozen=True)
class Secret:
    """One secret; `versions` are the ids of its versions with their stages, `deleted` when it is on its way out."""

    arn: str
    versions: dict[str, tuple[str, ...]]
    deleted: bool
    key: str

    def version(self, stage: str = CURRENT) -> str:
        """The id of the version that carries this stage; empty when none does."""
        return next((name for name, stages in self.versions.items() if stage in stages), "")


@dataclass(frozen=True)
class Reference:
    """A task definition's `valueFrom`, in parts: `kind` is secret or parameter, `id` its ARN or name.

    A secret's `json_key`, `stage` and `version` are empty where the reference leaves them open.
    """

    kind: str
    id: str
    region: str = ""
    account: str = ""
    json_key: str = ""
    stage: str = ""
    version: str = ""


def reference(value_from: str) -> Reference:
    """The parts of arn:aws:secretsmanager:region:account:secret:name[:key:stage:version], or of a parameter."""
    parts = value_from.split(":")
    if len(parts) >= 7 and parts[2] == "secretsmanager":
        json_key, stage, version = (*parts[7:10], "", "", "")[:3]
        return Reference("secret", ":".join(parts[:7]), parts[3], parts[4], json_key, stage, version)
    if len(parts) >= 6 and parts[2] == "ssm":
        # "parameter/a" is the parameter /a's or a's ARN; DescribeParameters knows which.
        return Reference("parameter", ":".join(parts[5:]).removeprefix("parameter"), parts[3], parts[4])
    return Reference("parameter", value_from)


def secret(access: AccountAccess, wanted: Reference) -> Secret | None:
    """The secret of a reference; None when there is none. Raises AwsError."""
    try:
        row = call(_there(access, wanted), "secretsmanager", "describe_secret", SecretId=wanted.id)
    except AwsError as error:
        if error.code == MISSING:
            return None
        raise
    stages = row.get("VersionIdsToStages") or {}
    return Secret(
        arn=str(row["ARN"]),
        versions={str(name): tuple(of) for name, of in stages.items()},
        deleted=row.get("DeletedDate") is not None,
        key=str(row.get("KmsKeyId") or ""),
    )


def has_policy(access: AccountAccess, wanted: Reference) -> bool:
    """Whether the secret carries a resource policy of its own. Raises AwsError."""
    answer = call(_there(access, wanted), "secretsmanager", "get_resource_policy", SecretId=wanted.id)
    return bool(answer.get("ResourcePolicy"))


def parameters(access: AccountAccess, wanted: Iterable[Reference]) -> dict[str, int]:
    """Reference's id -> version, of those parameters that there are. Raises AwsError."""
    found: dict[str, int] = {}
    by_region: dict[str, set[str]] = {}
    for one in wanted:
        by_region.setdefault(one.region or access.region, set()).add(one.id)
    for region, ids in by_region.items():
        there = replace(access, region=region)
        names = sorted({name for one in ids for name in _names(one)})
        rows = [row for batch in _batches(names) for row in _described(there, batch)]
        known = {str(row["Name"]): int(row.get("Version") or 1) for row in rows}
        found |= {one: known[name] for one in ids for name in _names(one) if name in known}
    return found


def _described(access: AccountAccess, names: list[str]) -> list[dict[str, Any]]:
    wanted = [{"Key": "Name", "Option": "Equals", "Values": names}]
    return [
        row
        for page in pages(access, "ssm", "describe_parameters", ParameterFilters=wanted)
        for row in page.get("Parameters", [])
    ]


def _names(identifier: str) -> tuple[str, ...]:
    """An ARN does not tell /name from name."""
    bare = identifier.lstrip("/")
    return (identifier,) if "/" in bare else (f"/{bare}", bare)


def _there(access: AccountAccess, wanted: Reference) -> AccountAccess:
    return replace(access, region=wanted.region) if wanted.region else access


def _batches(names: list[str]) -> list[list[str]]:
    return [names[start : start + NAMES_PER_CALL] for start in range(0, len(names), NAMES_PER_CALL)]
