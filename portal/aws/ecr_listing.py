"""Every image of an ECR repository, page by page."""

from __future__ import annotations

from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages

PAGE: Final = 1000  # DescribeImages gives at most so many at once


def details(access: AccountAccess, repository: str) -> list[dict[str, Any]]:
    """Every active image of a repository, untagged ones too, as ECR describes it. Raises AwsError."""
    found: list[dict[str, Any]] = []
    wanted = {"repositoryName": repository, "PaginationConfig": {"PageSize": PAGE}}
    for page in pages(access, "ecr", "describe_images", **wanted):
        found += page.get("imageDetails") or []
    return found


def holds(access: AccountAccess, repository: str, digest: str) -> bool:
    """Whether the repository has this image still. Raises AwsError."""
    wanted = {"repositoryName": repository, "imageIds": [{"imageDigest": digest}]}
    try:
        answer = call(access, "ecr", "describe_images", **wanted)
    except AwsError as error:
        if error.code in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return bool(answer.get("imageDetails"))
