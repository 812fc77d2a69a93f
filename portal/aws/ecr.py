"""ECR: the images of a repository, newest first, and one image as exactly as ECR tells of it.

What an account does not let us read stands in `Image.unread` with the reason: unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from portal.aws import ecr_manifests, ecr_scans
from portal.aws.ecr_lifecycle import lifecycle_condemned
from portal.aws.ecr_listing import details
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

__all__ = ["Image", "find", "images", "lifecycle_condemned", "registry_host"]

MISSING: Final = {"ImageNotFoundException", "RepositoryNotFoundException"}
WRONG: Final = {"Invalid", "InvalidParameterException"}
# Helm charts, signatures and attestations share repositories with images; an index has no artefact type.
IMAGE_CONFIGS: Final = {
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
}
SIGNATURES: Final = (".sig", ".att", ".sbom")


@dataclass(frozen=True)
class Image:
    """One image of a repository. `size` is in bytes, compressed; `scan` counts findings by severity.

    `scan` None, `platforms` () and a name in `unread` (scan, platforms, labels -> why) mean: not known.
    """

    repository_uri: str
    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime | None
    size: int | None
    scan: dict[str, int] | None
    platforms: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """What a task definition names: the repository and the digest."""
        return f"{self.repository_uri}@{self.digest}"


def registry_host(access: AccountAccess) -> str:
    """The account's own registry in its region."""
    suffix = "amazonaws.com.cn" if access.region.startswith("cn-") else "amazonaws.com"
    return f"{access.account_id}.dkr.ecr.{access.region}.{suffix}"


def images(access: AccountAccess, repository: str, limit: int = 50) -> list[Image]:
    """The newest tagged images of a repository, without platforms and labels (`find` reads those).

    ECR lists in no order, so every page is read. Raises AwsError.
    """
    rows = [row for row in details(access, repository) if _is_image(row) and row.get("imageTags")]
    rows = sorted(rows, key=_pushed, reverse=True)[:limit]
    found = ecr_scans.counts(access, repository, rows)
    listed: list[Image] = []
    for row in rows:
        scan = found[row["imageDigest"]]
        unread = {"scan": scan.why} if scan.why else {}
        listed.append(replace(_image(access, repository, row), scan=scan.counts, unread=unread))
    return listed


def find(access: AccountAccess, repository: str, reference: str) -> Image:
    """The image with this tag or digest, with its platforms, labels and scan findings.

    Raises AwsError: permanent when there is no such image or repository, or it lies in the archive.
    """
    row = _described(access, repository, reference)
    _refuse_archived(row, reference)
    return _with_content(access, repository, row)


def _described(access: AccountAccess, repository: str, reference: str) -> dict[str, Any]:
    by = "imageDigest" if reference.startswith("sha256:") else "imageTag"
    wanted = {"repositoryName": repository, "imageIds": [{by: reference}]}
    try:
        rows: list[dict[str, Any]] = call(access, "ecr", "describe_images", **wanted)["imageDetails"]
    except AwsError as error:
        if error.code not in MISSING | WRONG:
            raise
        # ECR tells of archived images to whoever asks for them only.
        rows = _archived(access, wanted) if error.code == "ImageNotFoundException" else []
        if not rows:
            raise _absent(access, repository, reference, error) from error
    if not rows:
        raise _absent(access, repository, reference, None)
    return rows[0]


def _archived(access: AccountAccess, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The image in whatever status; none where a region or an older ECR does not know the question."""
    try:
        answer = call(access, "ecr", "describe_images", **wanted, filter={"imageStatus": "ANY"})
    except AwsError as error:
        if error.code in MISSING | WRONG:
            return []
        raise
    return list(answer.get("imageDetails") or [])


def _with_content(access: AccountAccess, repository: str, row: dict[str, Any]) -> Image:
    content = ecr_manifests.read(access, repository, row["imageDigest"])
    scan = ecr_scans.of_image(access, repository, row, content.children)
    unread = dict(content.unread) | ({"scan": scan.why} if scan.why else {})
    image = _image(access, repository, row)
    return replace(
        image, platforms=content.platforms, labels=dict(content.labels), scan=scan.counts, unread=unread
    )


def _image(access: AccountAccess, repository: str, row: Mapping[str, Any]) -> Image:
    size = row.get("imageSizeInBytes")
    return Image(
        repository_uri=f"{registry_host(access)}/{repository}",
        digest=str(row["imageDigest"]),
        tags=tuple(sorted(str(tag) for tag in row.get("imageTags") or ())),
        pushed_at=row.get("imagePushedAt"),
        size=int(size) if size is not None else None,
        scan=None,
    )


def _pushed(row: Mapping[str, Any]) -> float:
    at = row.get("imagePushedAt")
    return at.timestamp() if isinstance(at, datetime) else 0.0


def _is_image(row: Mapping[str, Any]) -> bool:
    kind = row.get("artifactMediaType")
    tags: Sequence[str] = row.get("imageTags") or ()
    signature = tags and all(tag.startswith("sha256-") and tag.endswith(SIGNATURES) for tag in tags)
    return (not kind or kind in IMAGE_CONFIGS) and not signature


def _refuse_archived(row: Mapping[str, Any], reference: str) -> None:
    if row.get("imageStatus", "ACTIVE") != "ACTIVE":
        raise AwsError(
            _("The image %(image)s lies in ECR's archive; tasks cannot pull it.") % {"image": reference},
            code="ImageArchived",
            permanent=True,
            hint=_("Restore it in ECR (it takes some minutes), or choose another image."),
        )


def _absent(access: AccountAccess, repository: str, reference: str, error: AwsError | None) -> AwsError:
    if error is not None and error.code == "RepositoryNotFoundException":
        return AwsError(
            _("There is no ECR repository %(name)s in account %(account)s, %(region)s.")
            % {"name": repository, "account": access.account_id, "region": access.region},
            code=error.code,
            permanent=True,
            hint=_("Correct the repository's name in the blueprint's output, or create it."),
        )
    return AwsError(
        _("The repository %(name)s has no image %(image)s.") % {"name": repository, "image": reference},
        code="ImageNotFoundException",
        permanent=True,
        hint=_("Was it pushed, to this account and region? A lifecycle rule may have deleted it."),
    )
