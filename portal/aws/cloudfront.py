"""CloudFront: making the caches forget, once, and whether they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.aws.sessions import AccountAccess, call

COMPLETED: Final = "completed"


@dataclass(frozen=True)
class Invalidation:
    """One order to forget; `done` once every edge has followed it."""

    id: str
    done: bool


def invalidate(
    access: AccountAccess, distribution: str, paths: Sequence[str], reference: str
) -> Invalidation:
    """Make the caches forget these paths. Raises AwsError.

    The same reference with the same paths is the same order: CloudFront answers with the one it has.
    """
    batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
    answer = call(
        access, "cloudfront", "create_invalidation", DistributionId=distribution, InvalidationBatch=batch
    )
    return _read(answer["Invalidation"])


def invalidation(access: AccountAccess, distribution: str, name: str) -> Invalidation:
    """How far that order is. Raises AwsError."""
    answer = call(access, "cloudfront", "get_invalidation", DistributionId=distribution, Id=name)
    return _read(answer["Invalidation"])


def _read(row: dict[str, str]) -> Invalidation:
    return Invalidation(str(row["Id"]), str(row["Status"]).lower() == COMPLETED)
